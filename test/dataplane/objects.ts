// Builders of what calc tells the dataplane, with everything that a test does not care about left at "any" or "none".

import type { ActiveEndpoint, ActiveEntity, ActivePolicy, ActiveProfile, ActiveRule, Desired, DesiredSet } from '../../src/model/desired.ts';
import type { Origin } from '../../src/model/origin.ts';
import { defaultOptions, renderOptions } from '../../src/dataplane/options.ts';
import type { DataplaneOptions } from '../../src/dataplane/options.ts';
import type { RenderOptions } from '../../src/dataplane/render/options.ts';

export const anyone: ActiveEntity = { nets: [], notNets: [], sets: [], notSets: [], ports: [], notPorts: [], portSets: [], notPortSets: [], serviceSets: [] };

export function entity(fields: Partial<ActiveEntity>): ActiveEntity {
  return { ...anyone, ...fields };
}

export function rule(fields: Partial<ActiveRule> = {}): ActiveRule {
  return { action: 'allow', source: anyone, destination: anyone, index: 0, ...fields };
}

export function ports(...numbers: readonly (number | readonly [number, number])[]): { first: number; last: number }[] {
  return numbers.map((port) => (typeof port === 'number' ? { first: port, last: port } : { first: port[0], last: port[1] }));
}

function origin(kind: string, name: string, namespace = 'default'): Origin {
  return { kind, apiVersion: 'v1', namespace, name, generation: 1 };
}

export function policy(name: string, fields: Partial<ActivePolicy> = {}): ActivePolicy {
  return { key: `knp/default/${name}`, origin: origin('NetworkPolicy', name), tier: 'default', ingress: [], egress: [], ...fields };
}

export function profile(name: string, fields: Partial<ActiveProfile> = {}): ActiveProfile {
  return { name, origin: origin('Namespace', name, ''), ingress: [rule()], egress: [rule()], ...fields };
}

/** In namespace default, on interface cali<suffix>. */
export function endpoint(name: string, suffix: string, fields: Partial<ActiveEndpoint> = {}): ActiveEndpoint {
  return {
    key: `default/${name}`,
    origin: origin('Pod', name),
    interfaceName: `cali${suffix}`,
    addresses: ['10.0.0.1'],
    tiers: [],
    profiles: ['kns.default'],
    ...fields,
  };
}

export function tier(fields: { readonly ingress?: readonly string[]; readonly egress?: readonly string[]; readonly defaultAction?: 'deny' | 'pass'; readonly name?: string }): ActiveEndpoint['tiers'][number] {
  return { name: 'default', defaultAction: 'deny', ingress: [], egress: [], ...fields };
}

export function set(id: string, members: readonly string[], fields: Partial<DesiredSet> = {}): DesiredSet {
  return { id, type: 'net', use: 'allow', description: `selector of ${id}`, members, ...fields };
}

export function desired(fields: Partial<Desired> = {}): Desired {
  return {
    addedSets: [],
    setDeltas: [],
    policies: [],
    profiles: [],
    endpoints: [],
    hostEndpoints: [],
    removedHostEndpoints: [],
    removedEndpoints: [],
    removedProfiles: [],
    removedPolicies: [],
    removedSets: [],
    receivedAt: 0,
    ...fields,
  };
}

export function options(fields: Partial<DataplaneOptions> = {}, family: 4 | 6 = 4): RenderOptions {
  return renderOptions({ ...defaultOptions, ...fields }, family);
}
