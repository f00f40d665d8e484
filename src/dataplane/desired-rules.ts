// Folds change sets into one family's table and sets: what calc said, as chains, dispatch entries and members that should be. Pure
// memory; nothing is written here.
//
// Always holds: a chain that something leads to is defined. What cannot be rendered, or is referred to without having been sent,
// is a chain that denies, and one error line says so. What the kernel refuses of a policy has another form until the policy is sent
// again, or the kernel takes it (refuse, accept). Of several endpoints with one interface the one with the lowest key counts.

import type { ActiveEndpoint, ActivePolicy, ActiveProfile, ActiveRule, Desired, DesiredSet, SetDelta } from '../model/desired.ts';
import { originText } from '../model/origin.ts';
import type { Origin } from '../model/origin.ts';
import type { Logger } from '../lib/logger.ts';
import { encodeMember } from './encoding.ts';
import { EncodingRefused, ReferenceMissing } from './errors.ts';
import type { FamilySets } from './ipsets/family-sets.ts';
import type { Table } from './iptables/table.ts';
import { dispatchEntries } from './render/dispatch.ts';
import { endpointChains } from './render/endpoint.ts';
import { endpointChainName, policyChainName, profileChainName } from './render/names.ts';
import type { Direction } from './render/names.ts';
import type { RenderOptions } from './render/options.ts';
import { failClosedChain, policyChains, profileChains } from './render/policy.ts';
import type { Chain, Rule } from './render/rule.ts';
import { filterChains } from './render/static.ts';
import { closedForm, controlRules, renderAlone, setsOf } from './refused-rules.ts';
import type { PolicyRule } from './refused-rules.ts';

const directions: readonly Direction[] = ['ingress', 'egress'];

export class DesiredRules {
  readonly #table: Table;
  readonly #sets: FamilySets;
  readonly #options: RenderOptions;
  readonly #logger: Logger;
  readonly #policies = new Map<string, ActivePolicy>();
  /** What the kernel refuses of a policy, by its key. */
  readonly #refused = new Map<string, ReadonlySet<ActiveRule>>();
  readonly #endpoints = new Map<string, ActiveEndpoint>();
  /** Keys of the endpoints of an interface. */
  readonly #byInterface = new Map<string, Set<string>>();
  /** The endpoint that counts on an interface. */
  readonly #programmed = new Map<string, ActiveEndpoint>();
  /** Addresses that endpoints had since the kernel was last right. */
  readonly #formerAddresses = new Set<string>();

  constructor(table: Table, sets: FamilySets, options: RenderOptions, logger: Logger) {
    this.#table = table;
    this.#sets = sets;
    this.#options = options;
    this.#logger = logger;
    for (const chain of filterChains(options)) table.setChain(chain);
  }

  fold(desired: Desired): void {
    for (const set of desired.addedSets) this.#addSet(set);
    for (const delta of desired.setDeltas) this.#changeSet(delta);
    for (const policy of desired.policies) this.#setPolicy(policy);
    for (const profile of desired.profiles) this.#setProfile(profile);
    for (const endpoint of desired.endpoints) this.#setEndpoint(endpoint);
    for (const key of desired.removedEndpoints) this.#removeEndpoint(key);
    for (const name of desired.removedProfiles) this.#removeChains(name, profileChainName);
    for (const key of desired.removedPolicies) {
      this.#policies.delete(key);
      this.#refused.delete(key);
      this.#removeChains(key, policyChainName);
    }
    for (const id of desired.removedSets) this.#sets.remove(id);
  }

  /** Addresses of all endpoints, those included that they had before what is now pending. */
  localAddresses(): ReadonlySet<string> {
    const addresses = new Set(this.#formerAddresses);
    for (const endpoint of this.#programmed.values()) for (const address of endpoint.addresses) addresses.add(address);
    return addresses;
  }

  /** The kernel is as it should be: what was before does not count any more. */
  settled(): void {
    this.#formerAddresses.clear();
  }

  /** Policies of which the kernel refuses something. */
  get quarantined(): ActivePolicy[] {
    return [...this.#refused.keys()].flatMap((key) => this.#policies.get(key) ?? []);
  }

  /** What it refuses of them. */
  get refused(): PolicyRule[] {
    return this.quarantined.flatMap((policy) => this.#rulesOf(policy, (rule) => this.#isRefused(policy, rule)));
  }

  /** Rules of policies whose chains are pending, without those that are refused already. */
  get suspects(): PolicyRule[] {
    return [...this.#policies.values()].flatMap((policy) =>
      this.#rulesOf(policy, (rule, direction) => this.#table.pending.has(policyChainName(direction, policy.key)) && !this.#isRefused(policy, rule)),
    );
  }

  /** Rules of policies that look into one of these sets, without those that are refused already. Walks through all rules. */
  lookingInto(names: ReadonlySet<string>): PolicyRule[] {
    const ids = new Set(this.#sets.idsOf(names));
    const policies = ids.size === 0 ? [] : [...this.#policies.values()];
    return policies.flatMap((policy) => this.#rulesOf(policy, (rule) => setsOf(rule).some((id) => ids.has(id)) && !this.#isRefused(policy, rule)));
  }

  /** Sets that a rule looks into and that are not there, or let in too much. */
  missingSets({ rendered }: PolicyRule): string[] {
    return rendered.flatMap(({ sets }) => sets.filter((name) => !this.#sets.isReady(name)));
  }

  /** Rules that the kernel takes unless it lacks what policies are made of. */
  get control(): readonly Rule[] {
    return controlRules(this.#options, this.#sets.sample);
  }

  /** From now on their closed forms stand in for these. */
  refuse(rules: readonly PolicyRule[]): void {
    this.#changeRefused(rules, (refused, rule) => refused.add(rule));
  }

  /** These are what they were sent as again. */
  accept(rules: readonly PolicyRule[]): void {
    this.#changeRefused(rules, (refused, rule) => refused.delete(rule));
  }

  #changeRefused(rules: readonly PolicyRule[], change: (refused: Set<ActiveRule>, rule: ActiveRule) => void): void {
    for (const [policy, changed] of Map.groupBy(rules, (each) => each.policy)) {
      const refused = new Set(this.#refused.get(policy.key));
      for (const { rule } of changed) change(refused, rule);
      if (refused.size === 0) this.#refused.delete(policy.key);
      else this.#refused.set(policy.key, refused);
      this.#programPolicy(policy);
    }
  }

  #isRefused(policy: ActivePolicy, rule: ActiveRule): boolean {
    return this.#refused.get(policy.key)?.has(rule) ?? false;
  }

  /** Those of its rules that can be rendered, and say something about this family. */
  #rulesOf(policy: ActivePolicy, wanted: (rule: ActiveRule, direction: Direction) => boolean): PolicyRule[] {
    return directions.flatMap((direction) =>
      policy[direction].filter((rule) => wanted(rule, direction)).flatMap((rule) => {
        let rendered: readonly Rule[] = [];
        refusal(() => (rendered = renderAlone(policy, rule, this.#options, (id) => this.#sets.nameOf(id))));
        return rendered.length > 0 ? [{ policy, direction, rule, rendered }] : [];
      }),
    );
  }

  #addSet(set: DesiredSet): void {
    this.#sets.add({ ...set, members: this.#encodable(set.members, set.id) });
  }

  #changeSet(delta: SetDelta): void {
    this.#sets.change({ ...delta, added: this.#encodable(delta.added, delta.id) });
  }

  #encodable(members: readonly string[], id: string): readonly string[] {
    const bad = members.filter((member) => refusal(() => encodeMember(member)) !== undefined);
    if (bad.length === 0) return members;
    this.#logger.error({ set: id, members: bad.slice(0, 5) }, 'members of a set are not canonical and are left out; this is a fault of this program, please report it');
    return members.filter((member) => !bad.includes(member));
  }

  /** A policy that changed is tried as it is, whatever the kernel refused before. */
  #setPolicy(policy: ActivePolicy): void {
    this.#policies.set(policy.key, policy);
    this.#refused.delete(policy.key);
    this.#programPolicy(policy);
  }

  #programPolicy(policy: ActivePolicy): void {
    const refused = this.#refused.get(policy.key);
    this.#setChains(
      policy.origin,
      () => policyChains(refused === undefined ? policy : closedForm(policy, refused), this.#options, (id) => this.#sets.nameOf(id)),
      directions.map((direction) => policyChainName(direction, policy.key)),
    );
  }

  #setProfile(profile: ActiveProfile): void {
    this.#setChains(
      profile.origin,
      () => profileChains(profile, this.#options, (id) => this.#sets.nameOf(id)),
      directions.map((direction) => profileChainName(direction, profile.name)),
    );
  }

  /** Defines the chains that `render` makes, or chains of these names that deny. */
  #setChains(origin: Origin, render: () => readonly Chain[], names: readonly string[]): void {
    let chains: readonly Chain[] = [];
    const problem = refusal(() => (chains = render()));
    if (problem !== undefined) {
      this.#logger.error({ object: originText(origin), error: problem.message }, 'an object cannot be programmed and denies everything; this is a fault of this program, please report it');
      chains = names.map((name) => failClosedChain(name, this.#options, 'Cannot be programmed', origin));
    }
    for (const chain of chains) this.#table.setChain(chain);
  }

  #removeChains(key: string, nameOf: (direction: Direction, key: string) => string): void {
    for (const direction of directions) {
      const name = nameOf(direction, key);
      if (this.#table.isReferenced(name)) this.#table.setChain(failClosedChain(name, this.#options, 'No such object'));
      else this.#table.deleteChain(name);
    }
  }

  #setEndpoint(endpoint: ActiveEndpoint): void {
    const before = this.#endpoints.get(endpoint.key);
    this.#endpoints.set(endpoint.key, endpoint);
    const keys = this.#byInterface.get(endpoint.interfaceName);
    if (keys === undefined) this.#byInterface.set(endpoint.interfaceName, new Set([endpoint.key]));
    else keys.add(endpoint.key);
    if (before !== undefined && before.interfaceName !== endpoint.interfaceName) this.#leaveInterface(before);
    this.#refreshInterface(endpoint.interfaceName);
  }

  #removeEndpoint(key: string): void {
    const endpoint = this.#endpoints.get(key);
    if (endpoint === undefined) return;
    this.#endpoints.delete(key);
    this.#leaveInterface(endpoint);
  }

  #leaveInterface({ key, interfaceName }: ActiveEndpoint): void {
    const keys = this.#byInterface.get(interfaceName);
    keys?.delete(key);
    if (keys?.size === 0) this.#byInterface.delete(interfaceName);
    this.#refreshInterface(interfaceName);
  }

  #refreshInterface(interfaceName: string): void {
    const keys = [...(this.#byInterface.get(interfaceName) ?? [])].sort();
    if (keys.length > 1) this.#logger.warn({ interface: interfaceName, endpoints: keys }, 'several endpoints have one interface; the first one counts');
    const endpoint = keys[0] === undefined ? undefined : this.#endpoints.get(keys[0]);
    this.#program(interfaceName, endpoint);
    const names = directions.map((direction) => endpointChainName(direction, interfaceName));
    const problem = refusal(() => {
      const entries = dispatchEntries(interfaceName, this.#options);
      if (endpoint === undefined) {
        for (const { chain, rule } of entries) this.#table.deleteRule(chain, rule);
        for (const name of names) this.#table.deleteChain(name);
        return;
      }
      this.#defineReferences(endpoint);
      this.#setChains(endpoint.origin, () => endpointChains(endpoint, this.#options), names);
      for (const { chain, rule } of entries) this.#table.addRule(chain, rule);
    });
    if (problem !== undefined) {
      this.#logger.error({ interface: interfaceName, error: problem.message }, 'an interface cannot be programmed; its traffic is dropped');
    }
  }

  #program(interfaceName: string, endpoint: ActiveEndpoint | undefined): void {
    const before = this.#programmed.get(interfaceName);
    for (const address of before?.addresses ?? []) this.#formerAddresses.add(address);
    if (endpoint === undefined) this.#programmed.delete(interfaceName);
    else this.#programmed.set(interfaceName, endpoint);
  }

  /** What the endpoint refers to without having been sent denies. */
  #defineReferences(endpoint: ActiveEndpoint): void {
    for (const direction of directions) {
      const names = [
        ...endpoint.tiers.flatMap((tier) => tier[direction].map((key) => policyChainName(direction, key))),
        ...endpoint.profiles.map((profile) => profileChainName(direction, profile)),
      ];
      for (const name of names) {
        if (this.#table.isDefined(name)) continue;
        this.#logger.error({ object: originText(endpoint.origin), chain: name }, 'an endpoint refers to a policy or profile that was not sent; it denies everything');
        this.#table.setChain(failClosedChain(name, this.#options, 'No such object'));
      }
    }
  }
}

/** The refusal that `work` ends in, if it does; anything else is thrown on. */
function refusal(work: () => unknown): EncodingRefused | ReferenceMissing | undefined {
  try {
    work();
    return undefined;
  } catch (problem) {
    if (problem instanceof EncodingRefused || problem instanceof ReferenceMissing) return problem;
    throw problem;
  }
}
