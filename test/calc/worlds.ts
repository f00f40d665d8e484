// Random worlds at the level of the model, small enough that everything collides: few labels, few addresses, few names.

import fc from 'fast-check';

import type { HostEndpoint } from '../../src/model/host-endpoint.ts';
import type { NetworkSet } from '../../src/model/network-set.ts';
import type { ServiceEndpoints } from '../../src/model/service-endpoints.ts';
import type { WorkloadEndpoint } from '../../src/model/endpoint.ts';
import { labelsOf } from '../../src/model/labels.ts';
import type { Port } from '../../src/model/net/port.ts';
import type { Origin } from '../../src/model/origin.ts';
import type { Policy } from '../../src/model/policy.ts';
import type { Profile } from '../../src/model/profile.ts';
import type { EntityMatch, Rule } from '../../src/model/rule.ts';
import { anyEntity } from '../../src/model/rule.ts';
import type { SelectorNode } from '../../src/model/selector/ast.ts';
import { selectorOf } from '../../src/model/selector/canonical.ts';
import type { Tier } from '../../src/model/tier.ts';
import type { Update, Values } from '../../src/model/update.ts';

export const localNode = 'node-0';

/** The final state of all that calc is told. */
export interface ModelWorld {
  readonly endpoint: Map<string, WorkloadEndpoint>;
  readonly profile: Map<string, Profile>;
  readonly policy: Map<string, Policy>;
  readonly tier: Map<string, Tier>;
  readonly networkSet: Map<string, NetworkSet>;
  readonly hostEndpoint: Map<string, HostEndpoint>;
  readonly serviceEndpoints: Map<string, ServiceEndpoints>;
}

/** What is left when all updates have been applied. */
export function worldAfter(updates: readonly Update[]): ModelWorld {
  const world: ModelWorld = { endpoint: new Map(), profile: new Map(), policy: new Map(), tier: new Map(), networkSet: new Map(), hostEndpoint: new Map(), serviceEndpoints: new Map() };
  for (const update of updates) {
    const values: Map<string, Values[keyof Values]> = world[update.kind];
    if (update.op === 'delete') values.delete(update.key);
    else values.set(update.key, update.value);
  }
  return world;
}

/** The world as updates that build it. */
export function updatesOf(world: ModelWorld): Update[] {
  return (['endpoint', 'profile', 'policy', 'tier', 'networkSet', 'hostEndpoint', 'serviceEndpoints'] as const).flatMap((kind) =>
    [...world[kind]].map(([key, value]) => ({ op: 'upsert', kind, key, value }) as Update),
  );
}

export function originOf(kind: string, name: string, namespace = ''): Origin {
  return { kind, apiVersion: 'v1', namespace, name, generation: 1 };
}

const labelNames = ['app', 'role', 'pcns.env', 'projectcalico.org/namespace'];
const labelValues = ['a', 'b', 'ab', ''];
const namespaces = ['n1', 'n2'];
const addresses = ['10.0.0.1', '10.0.0.2', '10.0.0.3', 'fd00::1'];
/** What pods have, written as a set does, wider networks, and those that no set of the kernel can hold. */
const nets = ['10.0.0.1/32', '10.0.0.2/32', 'fd00::1/128', '10.0.0.0/24', '0.0.0.0/0', '::/0', '128.0.0.0/1'];
const services = ['n1/web', 'n2/web'];
const tierNames = ['first', 'second', 'default', 'unknown', 'kube-admin', 'kube-baseline'];

const labels = (names: readonly string[]): fc.Arbitrary<readonly string[]> =>
  fc.array(fc.tuple(fc.constantFrom(...names), fc.constantFrom(...labelValues)), { maxLength: 3 }).map(labelsOf);

export const selectorNode: fc.Arbitrary<SelectorNode> = fc.letrec<{ node: SelectorNode; leaf: SelectorNode }>((tie) => {
  const label = fc.constantFrom(...labelNames);
  const value = fc.constantFrom(...labelValues);
  const operands = fc.array(tie('node'), { minLength: 2, maxLength: 3 });
  return {
    node: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      tie('leaf'),
      fc.record({ kind: fc.constant('not' as const), operand: tie('node') }),
      fc.record({ kind: fc.constantFrom('and' as const, 'or' as const), operands }),
    ),
    leaf: fc.oneof(
      fc.record({ kind: fc.constantFrom('equals' as const, 'not-equals', 'contains', 'starts-with', 'ends-with'), label, value }),
      fc.record({ kind: fc.constantFrom('in' as const, 'not-in'), label, values: fc.uniqueArray(value, { maxLength: 3 }) }),
      fc.record({ kind: fc.constant('has' as const), label }),
      fc.constant({ kind: 'all' as const }),
    ),
  };
}).node;

const port: fc.Arbitrary<Port> = fc.oneof(
  fc.record({ name: fc.constantFrom('web', 'dns') }),
  fc.constantFrom({ first: 80, last: 80 }, { first: 0, last: 100 }),
);

const entity: fc.Arbitrary<EntityMatch> = fc.oneof(
  fc.constant(anyEntity),
  fc
    .record(
      {
        nets: fc.subarray(['10.0.0.0/8', 'fd00::/8'], { maxLength: 1 }),
        notNets: fc.subarray(['10.0.0.0/30']),
        selector: selectorNode.map(selectorOf),
        notSelector: selectorNode.map(selectorOf),
        ports: fc.array(port, { maxLength: 2 }),
        notPorts: fc.array(port, { maxLength: 2 }),
        portNamesOf: selectorNode.map(selectorOf),
      },
      { requiredKeys: ['nets', 'notNets', 'ports', 'notPorts'] },
    ),
);

const serviceEntity: fc.Arbitrary<EntityMatch> = fc.constantFrom(...services, 'n1/none').map((service) => ({ ...anyEntity, service }));

const end = fc.oneof({ weight: 5, arbitrary: entity }, { weight: 1, arbitrary: serviceEntity });

const rule: fc.Arbitrary<Rule> = fc.record(
  {
    action: fc.constantFrom('allow' as const, 'deny', 'pass', 'log'),
    protocol: fc.constantFrom(6, 17),
    source: end,
    destination: end,
    index: fc.nat(3),
    comments: fc.constantFrom(['owner=team-a'], []),
  },
  { requiredKeys: ['action', 'source', 'destination', 'index'] },
);

const rules = fc.array(rule, { maxLength: 2 });

const endpoint: fc.Arbitrary<WorkloadEndpoint> = fc
  .record({
    local: fc.boolean(),
    namespace: fc.constantFrom(...namespaces),
    addresses: fc.subarray(addresses, { minLength: 1, maxLength: 2 }),
    own: labels(labelNames),
    account: fc.boolean(),
    ports: fc.array(fc.record({ name: fc.constantFrom('web', 'dns'), protocol: fc.constantFrom(6, 17), port: fc.constantFrom(80, 53) }), { maxLength: 2 }),
  })
  .map(({ local, namespace, own, account, ...rest }) => ({
    origin: originOf('Pod', 'pod', namespace),
    node: local ? localNode : 'node-1',
    ...(local ? { interfaceName: 'cali0' } : {}),
    labels: own,
    profiles: account ? [`kns.${namespace}`, 'ksa.shared'] : [`kns.${namespace}`],
    ...rest,
  }));

const policy = (name: string): fc.Arbitrary<Policy> =>
  fc.record(
    {
      origin: fc.constantFrom('n1', 'n2').map((namespace) => originOf('NetworkPolicy', name, namespace)),
      kind: fc.constantFrom('knp' as const, 'np', 'gnp'),
      tier: fc.constantFrom(...tierNames),
      order: fc.constantFrom(1, 2),
      // Often the same one: what changes is then something else.
      selector: fc.oneof({ weight: 2, arbitrary: selectorNode.map(selectorOf) }, { weight: 1, arbitrary: fc.constant(selectorOf({ kind: 'all' })) }),
      types: fc.record({ ingress: fc.boolean(), egress: fc.boolean() }),
      ingress: rules,
      egress: rules,
      applies: fc.constantFrom(
        { doNotTrack: false, preDnat: false, applyOnForward: false },
        { doNotTrack: false, preDnat: false, applyOnForward: true },
        { doNotTrack: true, preDnat: false, applyOnForward: true },
        { doNotTrack: false, preDnat: true, applyOnForward: true },
      ),
      isNeededEverywhere: fc.constant(true as const),
    },
    { requiredKeys: ['origin', 'kind', 'tier', 'selector', 'types', 'ingress', 'egress'] },
  );

const profile = (name: string): fc.Arbitrary<Profile> =>
  fc.record({ origin: fc.constant(originOf('Namespace', name)), name: fc.constant(name), labels: labels(['pcns.env', 'app']), ingress: rules, egress: fc.constant([]) });

const tier = (name: string): fc.Arbitrary<Tier> =>
  fc.record({ origin: fc.constant(originOf('Tier', name)), name: fc.constant(name), order: fc.constantFrom(1, 2, 1_000_000), defaultAction: fc.constantFrom('deny' as const, 'pass') });

const networkSet: fc.Arbitrary<NetworkSet> = fc
  .record({
    namespace: fc.constantFrom('', ...namespaces),
    own: labels(labelNames),
    nets: fc.subarray(nets, { maxLength: 4 }),
    isBroken: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  })
  .map(({ namespace, own, nets: list, isBroken }) => ({
    origin: originOf('NetworkSet', 'set', namespace),
    labels: own,
    profiles: namespace === '' ? [] : [`kns.${namespace}`],
    ...(isBroken ? { nets: [], isBroken } : { nets: list }),
  }));

/** True in one of six. */
const isBroken = fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) });

const wholeHostEndpoint: fc.Arbitrary<HostEndpoint> = fc.record({
  origin: fc.constant(originOf('HostEndpoint', 'host')),
  node: fc.constantFrom(localNode, 'node-1'),
  interfaceName: fc.constantFrom('eth0', '*', ''),
  expectedAddresses: fc.subarray(addresses, { maxLength: 2 }),
  labels: labels(labelNames),
  profiles: fc.subarray(['kns.n1', 'ksa.shared']),
  ports: fc.constantFrom([], [{ name: 'web', protocol: 6, port: 80 }]),
});

const hostEndpoint = fc.tuple(wholeHostEndpoint, isBroken).map(([host, breaks]): HostEndpoint => (breaks ? { ...host, node: '', interfaceName: '', expectedAddresses: [], ports: [], isBroken: true } : host));

const wholeSlice: fc.Arbitrary<ServiceEndpoints> = fc.record({
  origin: fc.constant(originOf('EndpointSlice', 'slice')),
  service: fc.constantFrom(...services),
  addresses: fc.subarray(addresses),
  ports: fc.subarray([{ protocol: 6, port: 80 }, { protocol: 17, port: 53 }]),
});

const slice = fc.tuple(wholeSlice, isBroken).map(([each, breaks]): ServiceEndpoints => (breaks ? { ...each, addresses: [], ports: [], isBroken: true } : each));

function change<K extends keyof Values>(kind: K, keys: readonly string[], value: (key: string) => fc.Arbitrary<Values[K]>): fc.Arbitrary<Update> {
  return fc.constantFrom(...keys).chain((key) =>
    fc.oneof(
      { weight: 3, arbitrary: value(key).map((made) => ({ op: 'upsert', kind, key, value: made }) as Update) },
      { weight: 1, arbitrary: fc.constant<Update>({ op: 'delete', kind, key }) },
    ),
  );
}

export const update: fc.Arbitrary<Update> = fc.oneof(
  { weight: 4, arbitrary: change('endpoint', ['n1/a', 'n1/b', 'n2/a', 'n2/b'], () => endpoint) },
  { weight: 2, arbitrary: change('profile', ['kns.n1', 'kns.n2', 'ksa.shared'], profile) },
  { weight: 3, arbitrary: change('policy', ['p1', 'p2', 'p3', 'p4'], policy) },
  { weight: 1, arbitrary: change('tier', ['first', 'second', 'default', 'kube-admin'], tier) },
  { weight: 2, arbitrary: change('networkSet', ['/global', 'n1/set', 'n2/set'], () => networkSet) },
  // Keys that endpoints have too.
  { weight: 2, arbitrary: change('hostEndpoint', ['n1/a', 'host-2'], () => hostEndpoint) },
  { weight: 2, arbitrary: change('serviceEndpoints', ['n1/a', 'n1/web-2', 'n2/web-1'], () => slice) },
);
