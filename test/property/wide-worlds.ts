// Random worlds with every kind of policy: what worlds.ts draws, and beside Kubernetes' own policies those of Calico and of
// administrators, with all they may refer to. Most pods have an address of both families.

import * as fc from 'fast-check';
import type { WireObject, World } from '../../src/model/verdict.ts';
import { adminNetworkPolicy, baselineAdminNetworkPolicy, clusterNetworkPolicy } from './admin-policies.ts';
import { endpointSlice, hostAddresses, hostEndpoint, networkSet, sixOf, stagedPolicy, tierObject } from './calico-objects.ts';
import { historyOf } from './changes.ts';
import { calicoNetworkPolicy, globalNetworkPolicy, rivals } from './calico-policies.ts';
import { networkPolicy } from './network-policies.ts';
import { chance, nodes, sometimes } from './vocabulary.ts';
import { distinct, identity, namespaces, options, podObject, serviceAccountObject } from './worlds.ts';

/** A pod that has an address gets the other family's too, mostly. */
const widePod: fc.Arbitrary<WireObject> = fc.tuple(podObject, chance(70)).map(([pod, isDual]) => {
  const status = pod['status'] as { readonly podIP?: string; readonly podIPs?: readonly { readonly ip: string }[] };
  if (!isDual || status.podIPs?.length !== 1 || status.podIP === undefined || status.podIP.split('.').length !== 4) return pod;
  return { ...pod, status: { ...status, podIPs: [...status.podIPs, { ip: sixOf(status.podIP) }] } };
});

const accounts = distinct(serviceAccountObject, 0, 5);
const references = fc.tuple(distinct(tierObject, 0, 3), distinct(networkSet, 0, 5), distinct(hostEndpoint, 0, 3), distinct(endpointSlice, 1, 4)).map((lists) => lists.flat());
const policies = fc
  .tuple(
    distinct(networkPolicy, 0, 2),
    distinct(calicoNetworkPolicy, 1, 5),
    fc.tuple(distinct(globalNetworkPolicy, 0, 3), sometimes(25, rivals)).map(([list, pair]) => (pair === null ? list : [...list.filter((each) => !pair.map(identity).includes(identity(each))), ...pair])),
    distinct(clusterNetworkPolicy, 0, 4),
    fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: distinct(fc.oneof(adminNetworkPolicy, baselineAdminNetworkPolicy), 1, 3) }),
    fc.oneof({ weight: 9, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: distinct(stagedPolicy, 1, 1) }),
  )
  .map((lists) => lists.flat());

/** Of the addresses that host endpoints expect: some are on no interface, some on two. */
const hostInterfaces = fc.record({ eth0: fc.subarray([...hostAddresses]), eth1: fc.subarray([...hostAddresses]), eth2: fc.constant([]) });
const wideOptions = fc
  .tuple(options, fc.constantFrom('Ignore' as const, 'Drop' as const), hostInterfaces)
  .map(([each, httpRules, interfaces]): World['options'] => ({ ...each, httpRules, hostInterfaces: interfaces }));

export const wideWorld: fc.Arbitrary<World> = fc
  .tuple(namespaces, accounts, distinct(widePod, 5, 12), references, policies, wideOptions)
  .map(([namespaceObjects, accountObjects, pods, referred, policyObjects, worldOptions]) => ({
    node: nodes[0],
    objects: [...namespaceObjects, ...accountObjects, ...pods, ...referred, ...policyObjects],
    options: worldOptions,
  }));

/**
 * Of what nobody writes rules for yet there is none: host endpoints are on the other node. They are peers, with labels, addresses and
 * ports.
 */
export const enforcedWorld: fc.Arbitrary<World> = wideWorld.map((world) => ({ ...world, objects: world.objects.map(elsewhere) }));

function elsewhere(object: WireObject): WireObject {
  return object.kind === 'HostEndpoint' ? { ...object, spec: { ...(object['spec'] as object), node: nodes[1] } } : object;
}

/** Each kind of object comes, changes and goes. */
function wideHistoryWith(hosts: fc.Arbitrary<WireObject>): ReturnType<typeof historyOf> {
  return historyOf([
    { weight: 2, arbitrary: widePod },
    { weight: 4, arbitrary: calicoNetworkPolicy },
    { weight: 3, arbitrary: globalNetworkPolicy },
    { weight: 3, arbitrary: clusterNetworkPolicy },
    { weight: 1, arbitrary: fc.oneof(adminNetworkPolicy, baselineAdminNetworkPolicy) },
    { weight: 3, arbitrary: networkSet },
    { weight: 2, arbitrary: endpointSlice },
    { weight: 2, arbitrary: tierObject },
    { weight: 2, arbitrary: hosts },
    { weight: 1, arbitrary: stagedPolicy },
  ]);
}

export const wideHistory = wideHistoryWith(hostEndpoint);
export const enforcedHistory = wideHistoryWith(hostEndpoint.map(elsewhere));
