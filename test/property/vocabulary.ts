// The words of random worlds. They are few, so that selectors, peers, ports and packets meet each other often enough for every
// feature to decide something.

import * as fc from 'fast-check';
import { toAddress, toNumber } from './ipv4.ts';

export const nodes = ['node-1', 'node-2'] as const;
export const namespaceNames = ['alpha', 'beta', 'gamma', 'delta'] as const;
/** Uneven, so that policies and pods meet. */
export const crowdedNamespace = fc.oneof(...namespaceNames.map((name, index) => ({ weight: [9, 5, 2, 1][index] ?? 1, arbitrary: fc.constant(name) })));
export const podNames = Array.from({ length: 12 }, (_, index) => (index % 4 === 3 ? `p-${index}.x` : `p-${index}`));
export const accountNames = ['default', 'builder'] as const;

/** The address that a pod has unless it shares another's; outside ones belong to no pod. */
export function podAddress(node: number, index: number): string {
  return toAddress(toNumber(`10.65.${node}.0`) + index + 1);
}
export const outsideAddresses = ['192.0.2.1', '192.0.2.129', '203.0.113.7', '10.65.0.200', '10.65.7.1'] as const;

export const podLabels = fc.record(
  { app: fc.constantFrom('web', 'db', 'api'), tier: fc.constantFrom('front', 'back', ''), 'example.com/zone': fc.constantFrom('x', 'y') },
  { requiredKeys: [] },
);
export const namespaceLabels = fc.record({ env: fc.constantFrom('prod', 'test', ''), team: fc.constantFrom('red', 'blue') }, { requiredKeys: [] });

export interface OfferedPort {
  readonly name?: string;
  readonly containerPort: number;
  readonly protocol?: string;
}

/** Ports that containers offer: the same name means different numbers on different pods, and both protocols of one number. */
export const offeredPorts: readonly OfferedPort[] = [
  { name: 'http', containerPort: 8080 },
  { name: 'http', containerPort: 80, protocol: 'TCP' },
  { name: 'dns', containerPort: 53, protocol: 'UDP' },
  { name: 'dns-tcp', containerPort: 53, protocol: 'TCP' },
  { name: 'dns', containerPort: 5353, protocol: 'TCP' },
  { name: 'sig', containerPort: 2905, protocol: 'SCTP' },
  { containerPort: 443 },
];

/** Numbers that rules and packets share; some are neighbours, some have just one between them. */
export const portNumbers = [1, 53, 80, 81, 82, 443, 2905, 5353, 8080, 8082, 8090, 65535] as const;

/** True in so many per cent of the draws. */
export function chance(percent: number): fc.Arbitrary<boolean> {
  return fc.oneof({ weight: 100 - percent, arbitrary: fc.constant(false) }, { weight: percent, arbitrary: fc.constant(true) });
}

/** Null unless drawn. */
export function sometimes<T>(percent: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> {
  return fc.oneof({ weight: 100 - percent, arbitrary: fc.constant(null) }, { weight: percent, arbitrary });
}
