import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TransactionRefused } from '../../src/dataplane/errors.ts';
import { closedForm, controlRules, findRefused } from '../../src/dataplane/refused-rules.ts';
import type { Answer } from '../../src/dataplane/refused-rules.ts';
import { anyone, entity, options, policy, rule } from './objects.ts';

describe('the closed form of a policy', () => {
  const allow = rule({ index: 0 });
  const log = rule({ action: 'log', index: 1 });
  const deny = rule({ action: 'deny', protocol: 6, source: entity({ nets: ['10.0.0.0/8'] }), index: 2 });
  const pass = rule({ action: 'pass', ipVersion: 4, index: 3 });
  const whole = policy('web', { ingress: [allow, log, deny], egress: [pass, allow] });

  it('is without the rules that allow or log', () => {
    const { ingress, egress } = closedForm(whole, new Set([allow, log]));
    assert.deepEqual([ingress, egress], [[deny], [pass]]);
  });

  it('denies everything at the place of rules that deny or pass', () => {
    const { ingress, egress } = closedForm(whole, new Set([deny, pass]));
    assert.deepEqual(ingress, [allow, log, { action: 'deny', source: anyone, destination: anyone, index: 2 }]);
    assert.deepEqual(egress, [{ action: 'deny', source: anyone, destination: anyone, index: 3 }, allow]);
  });

  it('is the same policy in all else', () => {
    assert.deepEqual(closedForm(whole, new Set()), whole);
  });
});

describe('the rules that belong to no policy', () => {
  it('need what all policies need, and look into the set that they are given', () => {
    const text = controlRules(options(), 'cali40s:a').map((each) => each.text).join('\n');
    for (const part of ['--comment', '--match-set cali40s:a src', '-m multiport --dports 1,3:5', '-j MARK', '-m mark', '-j DROP']) assert.ok(text.includes(part), part);
    assert.ok(controlRules(options(), undefined).every(({ sets }) => sets.length === 0));
  });
});

describe('finding what is refused', () => {
  const items = Array.from({ length: 1_000 }, (_, i) => i);
  const refusal = new TransactionRefused('no');
  const asking = (bad: ReadonlySet<number>, names: boolean) => {
    const asked: (readonly number[])[] = [];
    const ask = (some: readonly number[]): Promise<Answer> => {
      asked.push(some);
      const culprits = some.flatMap((item, index) => (bad.has(item) ? [index] : []));
      // The tools' output may end before all are named.
      return Promise.resolve(culprits.length === 0 ? undefined : { refusal, culprits: names ? culprits.slice(0, 3) : [] });
    };
    return { asked, ask };
  };

  for (const names of [true, false]) {
    const how = names ? 'named' : 'not named';

    it(`finds each that is refused, and only those (${how})`, async () => {
      for (const bad of [[], [0], [999], [0, 1, 500, 999], [7, 8]]) {
        const found = await findRefused(items, asking(new Set(bad), names).ask, 1_000);
        assert.deepEqual(found.refused.map(({ item }) => item).sort((a, b) => a - b), bad);
        assert.deepEqual(found.accepted.toSorted((a, b) => a - b), items.filter((item) => !bad.includes(item)));
      }
    });

    it(`takes what was refused alone for refused, nothing else (${how})`, async () => {
      const { asked, ask } = asking(new Set([400]), names);
      await findRefused(items, ask, 1_000);
      assert.ok(asked.some((some) => some.length === 1 && some[0] === 400));
      assert.ok(asked.length <= (names ? 3 : 21), `${asked.length} questions`);
    });

    it(`asks no more than it may; what is not decided then is neither (${how})`, async () => {
      const { asked, ask } = asking(new Set(items), names);
      const { refused, accepted } = await findRefused(items, ask, 30);
      assert.equal(asked.length, 30);
      assert.ok(refused.length >= 1);
      assert.equal(accepted.length, 0);
    });
  }

  it('asks nothing about nothing', async () => {
    const { asked, ask } = asking(new Set(), false);
    await findRefused([], ask, 10);
    assert.equal(asked.length, 0);
  });

  it('one among a hundred thousand takes fewer than forty questions', async () => {
    const many = Array.from({ length: 100_000 }, (_, i) => i);
    const { ask } = asking(new Set([99_999]), false);
    assert.deepEqual((await findRefused(many, ask, 40)).refused.map(({ item }) => item), [99_999]);
  });
});
