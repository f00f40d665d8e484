// Random NetworkPolicy and GlobalNetworkPolicy objects of Calico's API as an API server (or a folder of manifests) serves them: tiers,
// orders that tie, directions, selectors, rules, annotations of older clients, and some that the API refuses.

import * as fc from 'fast-check';
import type { WireObject } from '../../src/model/verdict.ts';
import { brokenParts, calicoRule, longSelector } from './calico-rules.ts';
import type { Json } from './calico-rules.ts';
import { accountSelector, brokenSelectors, namespaceSelector, subject } from './calico-selectors.ts';
import { crowdedNamespace, sometimes } from './vocabulary.ts';

/** Two have objects (mostly), two never have (of one the name is none of a tier), the others are there without. */
export const tierNames = ['red', 'blue', 'ghost', 'gh.ost', 'kube-admin', 'adminnetworkpolicy', 'kube-baseline'] as const;
const tier = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom<Json>({}, { tier: 'default' }, { tier: '' }) },
  { weight: 6, arbitrary: fc.constantFrom(...tierNames, 'red', 'red', 'blue', 'blue').map((name) => ({ tier: name })) },
);
const order = fc.constantFrom<Json>({}, {}, {}, { order: 1 }, ...Array<Json>(8).fill({ order: 10 }), { order: 10.5 }, { order: 999 }, { order: 1000 }, { order: 1000 }, { order: 1000 }, { order: -1 });
const types = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<Json>({ types: ['Ingress'] }, { types: ['Egress'] }) },
  { weight: 2, arbitrary: fc.constantFrom<Json>({ types: ['Ingress', 'Egress'] }, {}) },
);

function spec(isGlobal: boolean): fc.Arbitrary<Json> {
  const rules = (direction: 'ingress' | 'egress'): fc.Arbitrary<Json> =>
    fc.array(calicoRule(direction, isGlobal), { maxLength: 4 }).map((list) => (list.length === 0 ? {} : { [direction]: list }));
  const accounts = sometimes(8, accountSelector).map((text): Json => (text === null ? {} : { serviceAccountSelector: text }));
  const namespaces = sometimes(isGlobal ? 25 : 0, namespaceSelector).map((text): Json => (text === null ? {} : { namespaceSelector: text }));
  const application = isGlobal
    ? fc.oneof(
        { weight: 16, arbitrary: fc.constant<Json>({}) },
        { weight: 5, arbitrary: fc.constant<Json>({ applyOnForward: true }) },
        { weight: 2, arbitrary: fc.constant<Json>({ applyOnForward: true, doNotTrack: true }) },
        { weight: 2, arbitrary: fc.constant<Json>({ applyOnForward: true, preDNAT: true }) },
      )
    : fc.constant<Json>({});
  return fc
    .tuple(tier, order, types, fc.oneof({ weight: 40, arbitrary: subject }, { weight: 1, arbitrary: fc.constant(longSelector) }).map((selector): Json => ({ selector })), accounts, namespaces, application, rules('ingress'), rules('egress'))
    .map((parts) => Object.assign({}, ...parts) as Json)
    .map((drawn) => (drawn['preDNAT'] === true ? { ...drawn, ...('types' in drawn ? { types: ['Ingress'] } : {}), egress: [] } : drawn));
}

/** One rule, or something else about the policy, that the API refuses. */
function spoilt(whole: fc.Arbitrary<Json>, isGlobal: boolean): fc.Arbitrary<Json> {
  const elsewhere = fc.constantFrom<Json>({ order: '1' }, { types: ['Ingres'] }, { types: ['Ingress', 'Ingress'] }, { unknown: true }, { tier: 'No_Tier' }, ...(isGlobal ? [{ applyOnForward: 'yes' }] : []));
  const unreadable = fc.constantFrom(...brokenSelectors).map((text): Json => ({ selector: text }));
  const inRule = fc.tuple(fc.constantFrom('ingress', 'egress'), fc.constantFrom('Allow', 'Deny', 'Pass', 'Log', 'Refuse'), fc.constantFrom(...brokenParts), fc.nat(3));
  return fc.oneof(
    {
      weight: 5,
      arbitrary: fc.tuple(whole, inRule).map(([original, [direction, action, part, position]]) => {
        const list = (original[direction] as readonly Json[] | undefined) ?? [];
        return { ...original, [direction]: list.toSpliced(position, 0, { action, ...part }) };
      }),
    },
    { weight: 2, arbitrary: fc.tuple(whole, elsewhere).map(([original, change]) => ({ ...original, ...change })) },
    { weight: 1, arbitrary: fc.tuple(whole, unreadable).map(([original, change]) => ({ ...original, ...change })) },
  );
}

/**
 * Names tie in order and differ in length; older clients keep the real name in an annotation, and put the tier before the object's.
 * No two have the same real name.
 */
const named = fc.tuple(
  fc.constantFrom('a', 'a-b', 'a.b', 'b', 'c', 'd', 'e', 'default.bc', 'default.cd'),
  sometimes(30, fc.constantFrom('renamed', 'unnamed', 'labelled')),
);

function innerOf(name: string, style: 'renamed' | 'unnamed' | 'labelled'): Json {
  return style === 'renamed' ? { name: `${name}x` } : style === 'unnamed' ? {} : { labels: { app: 'web' } };
}

function policy(kind: 'NetworkPolicy' | 'GlobalNetworkPolicy'): fc.Arbitrary<WireObject> {
  const isGlobal = kind === 'GlobalNetworkPolicy';
  const whole = spec(isGlobal);
  return fc
    .tuple(named, crowdedNamespace, fc.oneof({ weight: 9, arbitrary: whole }, { weight: 1, arbitrary: spoilt(whole, isGlobal) }))
    .map(([[name, inner], namespace, policySpec]) => ({
      apiVersion: 'crd.projectcalico.org/v1',
      kind,
      metadata: {
        name,
        ...(isGlobal ? {} : { namespace }),
        ...(inner === null ? {} : { annotations: { 'projectcalico.org/metadata': JSON.stringify(innerOf(name, inner)) } }),
      },
      spec: policySpec,
    }));
}

export const calicoNetworkPolicy = policy('NetworkPolicy');
export const globalNetworkPolicy = policy('GlobalNetworkPolicy');

/** Two policies about everybody that contradict each other: only their order, or their names, decide between them. */
export const rivals: fc.Arbitrary<readonly WireObject[]> = fc
  .tuple(
    fc.constantFrom<Json>({}, { tier: 'red' }, { tier: 'kube-admin' }),
    fc.constantFrom<readonly [Json, Json]>([{ order: 10 }, { order: 10 }], [{ order: 10 }, { order: 10 }], [{}, { order: 999 }], [{}, {}], [{ order: 1 }, { order: 10 }]),
    fc.constantFrom(['Allow', 'Deny'], ['Deny', 'Allow'], ['Pass', 'Deny'], ['Allow', 'Pass']),
    fc.constantFrom('a', 'a-b', 'a.b', 'b'),
    sometimes(40, fc.constantFrom('0', 'z')),
    // Who is a set, quite often a broken one, is another one to the two.
    fc.constantFrom<Json>({}, { source: { nets: ['10.65.0.0/16'] } }, { protocol: 'TCP' }, { source: { selector: 'role == "outside"' } }),
  )
  .map(([where, orders, actions, name, inner, match]) =>
    ['a-c', name].map((each, index) => ({
      apiVersion: 'crd.projectcalico.org/v1',
      kind: 'GlobalNetworkPolicy',
      metadata: { name: each, ...(index === 0 || inner === null ? {} : { annotations: { 'projectcalico.org/metadata': JSON.stringify({ name: inner }) } }) },
      spec: { ...where, ...orders[index], ingress: [{ action: actions[index], ...match }], egress: [{ action: actions[index], ...match }] },
    })),
  );
