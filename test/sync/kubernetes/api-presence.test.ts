// What is believed of discovery's answers, and which group a kind is read from.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { ApiPresence, type Whereabouts } from '../../../src/sync/kubernetes/api-presence.ts';
import type { ServedApis } from '../../../src/sync/kubernetes/discovery.ts';
import { namespaces } from '../../../src/sync/resources/namespace.ts';
import type { AnyResource } from '../../../src/sync/resources/resource.ts';

const classic = 'crd.projectcalico.org/v1';
const modern = 'projectcalico.org/v3';
const optional = { ...namespaces, isOptional: true, kind: 'Tier', plural: 'tiers', apiVersion: classic, otherApiVersions: [modern] } as const satisfies AnyResource;
const sets = { ...optional, kind: 'NetworkSet', plural: 'networksets' } as const satisfies AnyResource;

type Said = Readonly<Record<string, readonly string[] | 'absent' | 'unknown'>>;

class Subject {
  readonly #presence: ApiPresence;

  constructor(pin?: string) {
    this.#presence = new ApiPresence(pin, 20_000);
  }

  says(now: number, said: Said): void {
    const served: ServedApis = new Map(Object.entries(said).map(([apiVersion, resources]) => [apiVersion, typeof resources === 'string' ? resources : new Set(resources)]));
    this.#presence.learn(this.#presence.wantedFor([optional, sets]), served, now);
  }

  get tiers(): string {
    return text(this.#presence.of(optional));
  }

  get networkSets(): string {
    return text(this.#presence.of(sets));
  }

  get others(): readonly string[] {
    return this.#presence.passedOver(optional);
  }

  get isDoubtful(): boolean {
    return this.#presence.isDoubtful;
  }

  get wanted(): readonly string[] {
    return [...this.#presence.wantedFor([namespaces, optional, sets])].map(([apiVersion, plurals]) => `${apiVersion}: ${[...plurals].join(' ')}`);
  }
}

function text(whereabouts: Whereabouts): string {
  return typeof whereabouts === 'string' ? whereabouts : whereabouts.apiVersion;
}

const both = ['tiers', 'networksets'];

describe('the presence of kinds', () => {
  test('is asked for in every group that may serve them; not for kinds that are always there', () => {
    assert.deepEqual(new Subject().wanted, [`${classic}: tiers networksets`, `${modern}: tiers networksets`]);
    assert.deepEqual(new Subject(modern).wanted, [`${modern}: tiers networksets`]);
  });

  test('is unknown before discovery could tell', () => {
    const subject = new Subject();
    assert.equal(subject.tiers, 'unknown');
    subject.says(0, { [classic]: 'unknown', [modern]: both });
    assert.equal(subject.tiers, 'unknown', 'the first group may yet turn out to be served');
  });

  test('an answer that is certain counts at once where nothing was served before', () => {
    const subject = new Subject();
    subject.says(0, { [classic]: 'absent', [modern]: 'absent' });
    assert.deepEqual([subject.tiers, subject.isDoubtful], ['absent', false]);
  });

  test('a kind may be missing from a group that is served', () => {
    const subject = new Subject();
    subject.says(0, { [classic]: ['networksets'], [modern]: both });
    assert.deepEqual([subject.tiers, subject.networkSets], ['absent', classic]);
  });

  for (const [what, said, pin, expected] of [
    ['crd.projectcalico.org where both groups are served', { [classic]: both, [modern]: both }, undefined, classic],
    ['crd.projectcalico.org where the other one cannot be told', { [classic]: both, [modern]: 'unknown' }, undefined, classic],
    ['projectcalico.org where crd.projectcalico.org is not served', { [classic]: 'absent', [modern]: both }, undefined, modern],
    ['the one that was asked for', { [classic]: both, [modern]: both }, modern, modern],
    ['none where the one that was asked for is not served', { [classic]: both, [modern]: 'absent' }, modern, 'absent'],
  ] as const) {
    test(`the group is ${what}`, () => {
      const subject = new Subject(pin);
      subject.says(0, said);
      assert.equal(subject.tiers, expected);
    });
  }

  test('the group that was chosen stays chosen when another appears, which is named', () => {
    const subject = new Subject();
    subject.says(0, { [classic]: 'absent', [modern]: both });
    assert.equal(subject.tiers, modern);
    subject.says(60_000, { [classic]: both, [modern]: both });
    assert.deepEqual([subject.tiers, subject.others], [modern, [classic]]);
  });

  test('what was served is gone only when it was lacking twice, an interval apart', () => {
    const subject = new Subject();
    subject.says(0, { [classic]: both, [modern]: 'absent' });
    assert.equal(subject.tiers, classic);
    const without = { [classic]: ['networksets'], [modern]: 'absent' } as const;
    subject.says(60_000, without);
    assert.deepEqual([subject.tiers, subject.isDoubtful], [classic, true]);
    subject.says(70_000, without);
    assert.equal(subject.tiers, classic);
    subject.says(80_000, without);
    assert.deepEqual([subject.tiers, subject.networkSets, subject.isDoubtful], ['absent', classic, false]);
  });

  test('what was lacking once and is there again was never gone', () => {
    const subject = new Subject();
    subject.says(0, { [classic]: both, [modern]: 'absent' });
    subject.says(60_000, { [classic]: 'absent', [modern]: 'absent' });
    subject.says(65_000, { [classic]: both, [modern]: 'absent' });
    subject.says(90_000, { [classic]: 'absent', [modern]: 'absent' });
    assert.deepEqual([subject.tiers, subject.isDoubtful], [classic, true]);
  });

  test('not being able to tell is no sign of being gone', () => {
    const subject = new Subject();
    subject.says(0, { [classic]: both, [modern]: 'absent' });
    for (let now = 60_000; now < 600_000; now += 60_000) subject.says(now, { [classic]: 'unknown', [modern]: 'absent' });
    assert.equal(subject.tiers, classic);
  });

  test('the group changes only when the one that was chosen is certainly gone', () => {
    const subject = new Subject();
    subject.says(0, { [classic]: both, [modern]: both });
    assert.equal(subject.tiers, classic);
    subject.says(60_000, { [classic]: 'absent', [modern]: both });
    assert.equal(subject.tiers, classic);
    subject.says(80_000, { [classic]: 'absent', [modern]: both });
    assert.equal(subject.tiers, modern);
  });
});
