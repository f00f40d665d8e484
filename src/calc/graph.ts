// The calculation: from the state of the cluster to what this node's kernel must hold. Pure and synchronous: no clock, no I/O, no
// promises, no logger. What goes in are batches of updates (model/update.ts); what comes out is a change set (model/desired.ts), or
// nothing when nothing that a local pod needs has changed.
//
//   endpoints, host endpoints ──┬───────────────────────────┐   network sets
//                               ▼                           │          │
//                        local endpoints ──┬────────┐       │          │
//                                          ▼        │       │          │
//   profiles ──┬──▶ active profiles ┌─▶ active policies ◀───┼──────────┼─── policies
//              ├───────────│────────┘    │         │        │          │
//              │           ▼             ▼         │        │          │
//              │          rule  scanner ───────────│────────┼──────┐   │
//              │           │          │ sets       │        │ sets │   │
//              │           │          ▼            │        │      ▼   │
//              └───────────│───▶ member index ◀────│────────┴──────│───┘
//                          │          │            │         service index ◀── service endpoints
//                          │          │            ▼               │
//                          │          │      policy resolver ◀─────│── policy sorter ◀── tiers
//                    rules │  members │            │ endpoints     │ members
//                          ▼          ▼            ▼               ▼
//                          change           sequencer ───▶ one Desired
//
// Always: the output is a function of the input state alone. Any order and any batching of the same updates gives the same final
// state. Updates only change indexes and mark what is to be worked out; the flush at the end of the batch works it out once.

import type { Desired } from '../model/desired.ts';
import type { WorkloadEndpoint } from '../model/endpoint.ts';
import type { HostEndpoint } from '../model/host-endpoint.ts';
import type { NetworkSet } from '../model/network-set.ts';
import type { Profile } from '../model/profile.ts';
import type { Batch, Update } from '../model/update.ts';
import { ActivePolicies } from './active-policies.ts';
import { ActiveProfiles } from './active-profiles.ts';
import { ChangeSequencer } from './change-sequencer.ts';
import { hostContributor, networkSetContributor, workloadContributor } from './contributor.ts';
import { Profiles } from './index/profiles.ts';
import { LocalEndpoints } from './local-endpoints.ts';
import { together } from './member-changes.ts';
import { MemberIndex } from './member-index.ts';
import { PolicyResolver } from './policy-resolver.ts';
import { PolicySorter } from './policy-sorter.ts';
import { RuleScanner } from './rule-scanner.ts';
import { ServiceIndex } from './service-index.ts';
import { isSelector, isService } from './set-definition.ts';
import { hostKey } from './subject.ts';

export interface GraphOptions {
  /** Name of the node whose endpoints are local. */
  readonly node: string;
}

export interface Graph {
  /**
   * Takes a batch in. Undefined when the dataplane has nothing to do: nothing that a local endpoint needs has changed, or the
   * sources are not in sync yet. The batch that brings them in sync always gives a change set, if only an empty one: a node without
   * pods has its chains too.
   */
  update(batch: Batch): Desired | undefined;
}

export function createGraph({ node }: GraphOptions): Graph {
  //   profiles by name and label; shared by the two label indexes below
  const profiles = new Profiles();

  //   policies, local endpoints ──▶ active policies ──▶ policies to render, endpoints to resolve
  const activePolicies = new ActivePolicies(profiles);

  //   local endpoints ──▶ active profiles ──▶ profiles to render
  const activeProfiles = new ActiveProfiles(profiles);

  //   endpoints, host endpoints ──▶ local endpoints ──┬──▶ active policies
  //                                                   └──▶ active profiles
  const localEndpoints = new LocalEndpoints(node, (key, endpoint) => {
    activePolicies.setEndpoint(key, endpoint);
    activeProfiles.setEndpoint(key, endpoint);
  });

  //   policies, profiles to render ──▶ rule scanner ──▶ active rules, definitions of sets
  const ruleScanner = new RuleScanner();

  //   endpoints, host endpoints, network sets, definitions of sets ──▶ member index ──▶ sets and their deltas
  const memberIndex = new MemberIndex(profiles);

  //   service endpoints, definitions of sets ──▶ service index ──▶ sets and their deltas
  const serviceIndex = new ServiceIndex();

  //   tiers, endpoints to resolve ──▶ policy resolver ──▶ active endpoints, active host endpoints
  const policyResolver = new PolicyResolver(activePolicies, new PolicySorter());

  //   sets, policies, profiles, endpoints ──▶ change sequencer ──▶ Desired
  const sequencer = new ChangeSequencer();

  let inSync = false;

  function setEndpoint(key: string, endpoint: WorkloadEndpoint | undefined): void {
    memberIndex.set(key, endpoint && workloadContributor(endpoint));
    localEndpoints.set(key, endpoint);
  }

  function setHostEndpoint(name: string, endpoint: HostEndpoint | undefined): void {
    memberIndex.set(hostKey(name), endpoint && hostContributor(endpoint));
    localEndpoints.set(hostKey(name), endpoint);
  }

  function setNetworkSet(key: string, set: NetworkSet | undefined): void {
    // No key of an endpoint has a space.
    memberIndex.set(`nets ${key}`, set && networkSetContributor(set));
  }

  function setProfile(name: string, profile: Profile | undefined): void {
    // The member index must see the labels before and after.
    memberIndex.changeProfile(name, profile?.labels ?? [], () => profiles.set(name, profile));
    activePolicies.profileChanged(name);
    activeProfiles.profileChanged(name);
  }

  function apply(update: Update): void {
    const { key } = update;
    switch (update.kind) {
      case 'endpoint':
        return setEndpoint(key, update.op === 'upsert' ? update.value : undefined);
      case 'hostEndpoint':
        return setHostEndpoint(key, update.op === 'upsert' ? update.value : undefined);
      case 'networkSet':
        return setNetworkSet(key, update.op === 'upsert' ? update.value : undefined);
      case 'serviceEndpoints':
        return serviceIndex.set(key, update.op === 'upsert' ? update.value : undefined);
      case 'profile':
        return setProfile(key, update.op === 'upsert' ? update.value : undefined);
      case 'policy':
        return activePolicies.setPolicy(key, update.op === 'upsert' ? update.value : undefined);
      case 'tier':
        return policyResolver.setTier(key, update.op === 'upsert' ? update.value : undefined);
    }
  }

  function flush(receivedAt: number, first: boolean): Desired | undefined {
    const changed = activePolicies.flush();
    for (const key of changed.policies) sequencer.policy(key, ruleScanner.policy(key, activePolicies.policy(key)));
    for (const name of activeProfiles.flush()) sequencer.profile(name, ruleScanner.profile(name, activeProfiles.profile(name)));
    const { added, removed } = ruleScanner.flush();
    const selected = memberIndex.flush(removed, added.filter(isSelector));
    const served = serviceIndex.flush(removed, added.filter(isService));
    sequencer.sets(together(selected, served), removed);
    const { endpoints, hostEndpoints } = policyResolver.flush(changed.endpoints);
    for (const [key, endpoint] of endpoints) sequencer.endpoint(key, endpoint);
    for (const [name, endpoint] of hostEndpoints) sequencer.hostEndpoint(name, endpoint);
    return sequencer.take(receivedAt, first);
  }

  return {
    update(batch) {
      for (const update of batch.updates) apply(update);
      const first = batch.inSync === true && !inSync;
      if (first) {
        inSync = true;
        localEndpoints.release();
      }
      return inSync ? flush(batch.receivedAt, first) : undefined;
    },
  };
}
