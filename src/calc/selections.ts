// Which policies select which local endpoints, read from both ends.
//
// On a large node that is a few hundred endpoints by thousands of policies, so one end is kept small: a policy's endpoints are a list
// of integer ids (index/id-lists.ts), whose entries may be out of date and are checked against the other end when they are read.

import { IdLists } from './index/id-lists.ts';
import type { SubjectKey } from './subject.ts';

/** An endpoint that is selected. */
interface Selected {
  readonly id: number;
  policies: Set<string>;
}

/** The endpoints of a policy. */
interface Endpoints {
  readonly list: number;
  count: number;
}

/** Told of each link that came or went, and how many endpoints the policy selects now. */
export type LinkSink = (endpoint: SubjectKey, policy: string, count: number) => void;

const none: ReadonlySet<never> = new Set<never>();

export class Selections {
  readonly #linked: LinkSink;
  readonly #unlinked: LinkSink;
  readonly #selected = new Map<SubjectKey, Selected>();
  /** Keys by id, undefined for an id that is free. */
  readonly #keys: (SubjectKey | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #endpoints = new Map<string, Endpoints>();
  readonly #lists = new IdLists();

  constructor(linked: LinkSink, unlinked: LinkSink) {
    this.#linked = linked;
    this.#unlinked = unlinked;
  }

  /** Not to be kept across changes. */
  policiesOf(endpoint: SubjectKey): ReadonlySet<string> {
    return this.#selected.get(endpoint)?.policies ?? none;
  }

  /** How many endpoints a policy selects. */
  count(policy: string): number {
    return this.#endpoints.get(policy)?.count ?? 0;
  }

  endpointsOf(policy: string): ReadonlySet<SubjectKey> {
    const endpoints = this.#endpoints.get(policy);
    if (endpoints === undefined) return none;
    const found = new Set<SubjectKey>();
    this.#lists.each(endpoints.list, (id) => {
      const key = this.#keys[id];
      if (key !== undefined && this.policiesOf(key).has(policy)) found.add(key);
    });
    return found;
  }

  /** All policies that select an endpoint; the set is kept. */
  setPolicies(endpoint: SubjectKey, policies: Set<string>): void {
    const selected = this.#selected.get(endpoint) ?? this.#select(endpoint);
    const before = selected.policies;
    selected.policies = policies;
    for (const policy of before) if (!policies.has(policy)) this.#forget(endpoint, policy);
    for (const policy of policies) if (!before.has(policy)) this.#remember(endpoint, selected.id, policy);
    this.#release(endpoint, selected);
  }

  link(endpoint: SubjectKey, policy: string): void {
    const selected = this.#selected.get(endpoint) ?? this.#select(endpoint);
    if (selected.policies.has(policy)) return;
    selected.policies.add(policy);
    this.#remember(endpoint, selected.id, policy);
  }

  unlink(endpoint: SubjectKey, policy: string): void {
    const selected = this.#selected.get(endpoint);
    if (selected?.policies.delete(policy) !== true) return;
    this.#forget(endpoint, policy);
    this.#release(endpoint, selected);
  }

  #select(endpoint: SubjectKey): Selected {
    const selected = { id: this.#free.pop() ?? this.#keys.length, policies: new Set<string>() };
    this.#keys[selected.id] = endpoint;
    this.#selected.set(endpoint, selected);
    return selected;
  }

  /** An endpoint that nothing selects takes no space. */
  #release(endpoint: SubjectKey, { id, policies }: Selected): void {
    if (policies.size > 0) return;
    this.#selected.delete(endpoint);
    this.#keys[id] = undefined;
    this.#free.push(id);
  }

  #remember(endpoint: SubjectKey, id: number, policy: string): void {
    let endpoints = this.#endpoints.get(policy);
    if (endpoints === undefined) {
      endpoints = { list: this.#lists.create(id), count: 0 };
      this.#endpoints.set(policy, endpoints);
    } else this.#lists.add(endpoints.list, id);
    endpoints.count += 1;
    this.#linked(endpoint, policy, endpoints.count);
  }

  #forget(endpoint: SubjectKey, policy: string): void {
    const endpoints = this.#endpoints.get(policy);
    if (endpoints === undefined) return;
    endpoints.count -= 1;
    if (this.#lists.drop(endpoints.list, (id) => this.policiesOf(this.#keys[id] ?? '').has(policy))) this.#endpoints.delete(policy);
    this.#unlinked(endpoint, policy, endpoints.count);
  }
}
