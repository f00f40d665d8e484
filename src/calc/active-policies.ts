// Which policies select which endpoints of this node: the policies that are rendered here at all.
//
//   policies        ──▶ ┌─────────────────┐
//   local endpoints ──▶ │ active policies │ ──▶ policies to render anew or to drop, endpoints whose policies changed
//   profiles        ──▶ └─────────────────┘
//
// Both sides are indexed: a policy is held only against the local endpoints that it may select, and an endpoint only against the
// policies that may select it. A policy that selects nothing here costs its place in the index and nothing else, unless it asks to be
// rendered everywhere.

import type { Policy } from '../model/policy.ts';
import { LabelledItems } from './index/labelled-items.ts';
import type { Profiles } from './index/profiles.ts';
import type { Filed } from './index/selector-index.ts';
import { SelectorIndex } from './index/selector-index.ts';
import { requiredTermsOf } from './index/worked-out.ts';
import type { LinkSink } from './selections.ts';
import { Selections } from './selections.ts';
import type { Subject, SubjectKey } from './subject.ts';
import { isForHostsOnly, isHost, isolates } from './subject.ts';

interface Indexed {
  readonly key: string;
  policy: Policy;
}

export interface ActivityChanges {
  /** Keys of policies that became active or inactive, or changed while active. */
  readonly policies: ReadonlySet<string>;
  /** Keys of local endpoints that changed, or whose policies (or anything that orders them) did. */
  readonly endpoints: ReadonlySet<SubjectKey>;
}

export class ActivePolicies {
  readonly #profiles: Profiles;
  readonly #endpoints: LabelledItems<Subject>;
  readonly #policies = new Map<string, Filed<Indexed>>();
  readonly #selectors = new SelectorIndex<Indexed>();
  readonly #selections: Selections;
  /** Policies whose selector, or what they are for, is new, and endpoints whose labels may be. */
  readonly #unmatchedPolicies = new Set<string>();
  readonly #unmatchedEndpoints = new Set<SubjectKey>();
  #changedPolicies = new Set<string>();
  #changedEndpoints = new Set<SubjectKey>();

  constructor(profiles: Profiles) {
    this.#profiles = profiles;
    this.#endpoints = new LabelledItems(profiles);
    const noteLink = (last: number): LinkSink => (endpoint, policy, count) => {
      this.#changedEndpoints.add(endpoint);
      if (count === last) this.#changedPolicies.add(policy);
    };
    this.#selections = new Selections(noteLink(1), noteLink(0));
  }

  setPolicy(key: string, policy: Policy | undefined): void {
    const filed = this.#policies.get(key);
    const wanted = policy === undefined || !isolatesAtAll(policy) ? undefined : policy;
    if (filed !== undefined && wanted !== undefined && filed.selector.text === wanted.selector.text) {
      const before = filed.owner.policy;
      if (before === wanted) return;
      filed.owner.policy = wanted;
      this.#policyChanged(key, before, wanted);
      if (isForHostsOnly(before) !== isForHostsOnly(wanted)) this.#unmatchedPolicies.add(key);
      return;
    }
    if (filed !== undefined) {
      this.#selectors.remove(filed);
      this.#policies.delete(key);
    }
    if (wanted !== undefined) this.#policies.set(key, this.#selectors.add({ key, policy: wanted }, wanted.selector));
    this.#policyChanged(key, filed?.owner.policy, wanted);
    // Without local endpoints nothing is selected, and whichever comes is held against all that may select it.
    if (this.#endpoints.size > 0) this.#unmatchedPolicies.add(key);
  }

  setEndpoint(key: SubjectKey, endpoint: Subject | undefined): void {
    this.#endpoints.set(key, endpoint);
    this.#unmatchedEndpoints.add(key);
    this.#changedEndpoints.add(key);
  }

  /** The labels of a profile have changed. */
  profileChanged(name: string): void {
    for (const id of this.#endpoints.children(name)) this.#unmatchedEndpoints.add(this.#endpoints.key(id));
  }

  /** An active policy, by key. */
  policy(key: string): Policy | undefined {
    const policy = this.#policies.get(key)?.owner.policy;
    return policy?.isNeededEverywhere === true || this.#selections.count(key) > 0 ? policy : undefined;
  }

  /** A local endpoint, by key. */
  endpoint(key: SubjectKey): Subject | undefined {
    const id = this.#endpoints.id(key);
    return id === undefined ? undefined : this.#endpoints.get(id);
  }

  /** Keys of the policies that select a local endpoint. */
  policiesOf(endpointKey: SubjectKey): ReadonlySet<string> {
    return this.#selections.policiesOf(endpointKey);
  }

  flush(): ActivityChanges {
    for (const key of this.#unmatchedEndpoints) this.#matchEndpoint(key);
    this.#unmatchedEndpoints.clear();
    for (const key of this.#unmatchedPolicies) this.#matchPolicy(key);
    this.#unmatchedPolicies.clear();
    const changes = { policies: this.#changedPolicies, endpoints: this.#changedEndpoints };
    this.#changedPolicies = new Set();
    this.#changedEndpoints = new Set();
    return changes;
  }

  #matchPolicy(key: string): void {
    const filed = this.#policies.get(key);
    const selected = new Set<SubjectKey>();
    if (filed !== undefined) {
      for (const id of this.#endpoints.candidates(requiredTermsOf(filed.selector))) {
        if (this.#selects(filed, this.#endpoints.get(id) as Subject)) selected.add(this.#endpoints.key(id));
      }
    }
    for (const endpoint of this.#selections.endpointsOf(key)) if (!selected.has(endpoint)) this.#selections.unlink(endpoint, key);
    for (const endpoint of selected) this.#selections.link(endpoint, key);
  }

  #matchEndpoint(key: SubjectKey): void {
    const endpoint = this.endpoint(key);
    const selecting = new Set<string>();
    if (endpoint !== undefined) {
      const inherited = endpoint.profiles.map((name) => this.#profiles.labels(name));
      for (const filed of this.#selectors.candidates(endpoint.labels, inherited)) {
        if (this.#selects(filed, endpoint)) selecting.add(filed.owner.key);
      }
    }
    this.#selections.setPolicies(key, selecting);
  }

  #selects(filed: Filed<Indexed>, endpoint: Subject): boolean {
    if (isForHostsOnly(filed.owner.policy) && !isHost(endpoint)) return false;
    return this.#selectors.match(filed, this.#endpoints.lookup(endpoint));
  }

  /** What the policy says has changed; whom it selects is found out later. */
  #policyChanged(key: string, before: Policy | undefined, after: Policy | undefined): void {
    const endpoints = this.#selections.endpointsOf(key);
    if (endpoints.size > 0 || before?.isNeededEverywhere === true || after?.isNeededEverywhere === true) this.#changedPolicies.add(key);
    for (const endpoint of endpoints) this.#changedEndpoints.add(endpoint);
  }
}

/** A policy that isolates in no direction applies to nothing. */
function isolatesAtAll(policy: Policy): boolean {
  const { ingress, egress } = isolates(policy);
  return ingress || egress;
}
