// Turns the rules of active policies and profiles into the rules that the dataplane gets: selectors, named ports and services become
// sets.
//
//   policy, profile ──▶ ┌──────────────┐ ──▶ active rules
//                       │ rule scanner │
//                       └──────────────┘ ──▶ definitions of sets that came into use, ids of those that went out of it
//
// Sets are shared between all rules that need the same one in the same way, and counted. They come and go at the flush only: a set
// that one policy gives up and another takes in the same batch has never been away.

import { deepEqual } from '../lib/deep-equal.ts';
import { RefCounts } from '../lib/ref-counts.ts';
import type { ActiveEntity, ActivePolicy, ActiveProfile, ActiveRule, SetId, SetUse } from '../model/desired.ts';
import type { Port, PortRange } from '../model/net/port.ts';
import type { Policy } from '../model/policy.ts';
import type { Profile } from '../model/profile.ts';
import type { EntityMatch, Rule, RuleAction } from '../model/rule.ts';
import { anyEntity } from '../model/rule.ts';
import type { Selector } from '../model/selector/ast.ts';
import { selectorOf } from '../model/selector/canonical.ts';
import { parseSelector } from '../model/selector/parse.ts';
import type { DefinedSet, SelectorSet, SetDefinition } from './set-definition.ts';
import { definitionKey, setId } from './set-definition.ts';
import { isolates } from './subject.ts';

export interface SetChanges {
  readonly added: readonly DefinedSet[];
  readonly removed: readonly SetId[];
}

/** What the rules of one owner use. */
interface Used {
  /** Of sets, by definitionKey(). */
  readonly keys: Set<string>;
  /** What the names in long lists of ports have become: many rules may share one. */
  readonly named: Map<readonly Port[], Map<string, readonly SetId[]>>;
}

/** From which length on a list is worth keeping what was made of it. */
const longList = 32;

interface ActiveRules {
  readonly ingress: readonly ActiveRule[];
  readonly egress: readonly ActiveRule[];
}

/** What more members of a set do to the traffic that is allowed (model/desired.ts, SetUse). A Log rule does nothing to it. */
const positiveUse: Readonly<Record<RuleAction, SetUse>> = { allow: 'allow', deny: 'deny', pass: 'pass', log: 'allow' };
const negatedUse: Readonly<Record<RuleAction, SetUse>> = { allow: 'deny', deny: 'allow', pass: 'pass', log: 'allow' };

const everything = parseSelector('all()');

const anyActiveEntity: ActiveEntity = Object.freeze({
  nets: [],
  notNets: [],
  sets: [],
  notSets: [],
  ports: [],
  notPorts: [],
  portSets: [],
  notPortSets: [],
  serviceSets: [],
});

export class RuleScanner {
  /** Sets in use, and those that went out of use since the last flush, by definitionKey(). */
  readonly #sets = new Map<string, DefinedSet>();
  readonly #users = new RefCounts<string>();
  readonly #touched = new Set<string>();
  /** Keys of the sets in use at the last flush. */
  readonly #flushed = new Set<string>();
  /** Keys of the sets that each owner's rules use. */
  readonly #byOwner = new Map<string, ReadonlySet<string>>();

  /** The policy as the dataplane gets it; undefined drops its rules. */
  policy(key: string, policy: Policy | undefined): ActivePolicy | undefined {
    const owner = `policy ${key}`;
    if (policy === undefined) {
      this.#replace(owner, new Set());
      return undefined;
    }
    const { origin, tier } = policy;
    const types = isolates(policy);
    // Rules of a direction in which the policy does not isolate are never reached.
    const rules = this.#scan(owner, types.ingress ? policy.ingress : [], types.egress ? policy.egress : []);
    return { key, origin, tier, ...rules };
  }

  /** The profile as the dataplane gets it; undefined drops its rules. */
  profile(name: string, profile: Profile | undefined): ActiveProfile | undefined {
    const owner = `profile ${name}`;
    if (profile === undefined) {
      this.#replace(owner, new Set());
      return undefined;
    }
    return { name, origin: profile.origin, ...this.#scan(owner, profile.ingress, profile.egress) };
  }

  /** Sets that came into use or went out of it since the last flush. */
  flush(): SetChanges {
    const added: DefinedSet[] = [];
    const removed: SetId[] = [];
    for (const key of this.#touched) {
      const set = this.#sets.get(key) as DefinedSet;
      if (this.#users.has(key)) {
        if (!this.#flushed.has(key)) added.push(set);
        this.#flushed.add(key);
      } else {
        if (this.#flushed.delete(key)) removed.push(set.id);
        this.#sets.delete(key);
      }
    }
    this.#touched.clear();
    return { added, removed };
  }

  #scan(owner: string, ingress: readonly Rule[], egress: readonly Rule[]): ActiveRules {
    const used: Used = { keys: new Set(), named: new Map() };
    const active = {
      ingress: ingress.flatMap((rule) => this.#rules(rule, used)),
      egress: egress.flatMap((rule) => this.#rules(rule, used)),
    };
    this.#replace(owner, used.keys);
    return active;
  }

  #replace(owner: string, used: ReadonlySet<string>): void {
    const before = this.#byOwner.get(owner);
    for (const key of used) if (before?.has(key) !== true && this.#users.acquire(key)) this.#touched.add(key);
    for (const key of before ?? []) if (!used.has(key) && this.#users.release(key)) this.#touched.add(key);
    if (used.size === 0) this.#byOwner.delete(owner);
    else this.#byOwner.set(owner, used);
  }

  /** One, nearly always. */
  #rules(rule: Rule, used: Used): ActiveRule[] {
    const active = this.#rule(rule, used);
    const { service } = rule.destination;
    if (rule.action !== 'deny' || service === undefined) return [active];
    // Endpoints that cannot be read may be anywhere, on any port.
    const broken = this.#use({ use: 'deny', service, withPorts: false, onlyBroken: true }, used);
    const { sets } = active.destination;
    return [active, { ...active, destination: { ...active.destination, sets: [...sets, broken], serviceSets: [] } }];
  }

  #rule(rule: Rule, used: Used): ActiveRule {
    return {
      action: rule.action,
      ...(rule.ipVersion === undefined ? {} : { ipVersion: rule.ipVersion }),
      ...(rule.protocol === undefined ? {} : { protocol: rule.protocol }),
      ...(rule.notProtocol === undefined ? {} : { notProtocol: rule.notProtocol }),
      ...(rule.icmp === undefined ? {} : { icmp: rule.icmp }),
      ...(rule.notIcmp === undefined ? {} : { notIcmp: rule.notIcmp }),
      source: this.#entity(rule, 'source', used),
      destination: this.#entity(rule, 'destination', used),
      index: rule.index,
      ...(rule.comments === undefined ? {} : { comments: rule.comments }),
    };
  }

  #entity(rule: Rule, end: 'source' | 'destination', used: Used): ActiveEntity {
    const entity = rule[end];
    if (entity === anyEntity) return anyActiveEntity;
    const positive = positiveUse[rule.action];
    const negated = negatedUse[rule.action];
    const { selector, notSelector } = merged(entity);
    const named = (ports: readonly Port[], use: SetUse): readonly SetId[] =>
      this.#named(ports, { use, selector: entity.portNamesOf ?? selector ?? everything }, rule.protocol, used);
    const ports = numbered(entity.ports);
    const portSets = named(entity.ports, positive);
    // Named ports alone imply the selector: they are those of what it matches. Beside numbers they do not.
    const implied = entity.portNamesOf === undefined && ports.length === 0 && portSets.length > 0;
    const { service } = entity;
    // What comes from a service's endpoint has any source port; what goes to one goes to a port of the service.
    const withPorts = end === 'destination';
    const services = service === undefined ? [] : [this.#use({ use: positive, service, withPorts }, used)];
    const selected = selector === undefined || implied ? [] : [this.#use({ use: positive, selector }, used)];
    const active: ActiveEntity = {
      nets: entity.nets,
      notNets: entity.notNets,
      sets: withPorts ? selected : [...selected, ...services],
      notSets: notSelector === undefined ? [] : [this.#use({ use: negated, selector: notSelector }, used)],
      ports,
      notPorts: numbered(entity.notPorts),
      portSets,
      notPortSets: named(entity.notPorts, negated),
      serviceSets: withPorts ? services : [],
    };
    return deepEqual(active, anyActiveEntity) ? anyActiveEntity : active;
  }

  #named(ports: readonly Port[], whose: Pick<SelectorSet, 'use' | 'selector'>, protocol: number | undefined, used: Used): readonly SetId[] {
    const name = (): readonly SetId[] =>
      ports.flatMap((port) => ('name' in port ? [this.#use({ ...whose, port: { name: port.name, ...(protocol === undefined ? {} : { protocol }) } }, used)] : []));
    if (ports.length < longList) return name();
    const key = `${whose.use} ${protocol ?? 'any'} ${whose.selector.text}`;
    const known = used.named.get(ports) ?? new Map<string, readonly SetId[]>();
    const sets = known.get(key) ?? name();
    used.named.set(ports, known.set(key, sets));
    return sets;
  }

  #use(definition: SetDefinition, used: Used): SetId {
    const key = definitionKey(definition);
    used.keys.add(key);
    let set = this.#sets.get(key);
    if (set === undefined) {
      set = { id: setId(definition), definition };
      this.#sets.set(key, set);
    }
    return set.id;
  }
}

/**
 * With a positive selector both are one: the rule concerns what the one selects and the other does not. Without it the negated one
 * stays a negated match, which things without labels pass too.
 */
function merged({ selector, notSelector }: EntityMatch): { selector?: Selector; notSelector?: Selector } {
  if (selector === undefined || notSelector === undefined) {
    return { ...(selector === undefined ? {} : { selector }), ...(notSelector === undefined ? {} : { notSelector }) };
  }
  return { selector: selectorOf({ kind: 'and', operands: [selector.root, { kind: 'not', operand: notSelector.root }] }) };
}

/** What long lists have become; a list never changes. */
const numberLists = new WeakMap<readonly Port[], readonly PortRange[]>();

function numbered(ports: readonly Port[]): readonly PortRange[] {
  const known = ports.length < longList ? undefined : numberLists.get(ports);
  if (known !== undefined) return known;
  const numbers = ports.filter((port): port is PortRange => !('name' in port));
  if (ports.length >= longList) numberLists.set(ports, numbers);
  return numbers;
}
