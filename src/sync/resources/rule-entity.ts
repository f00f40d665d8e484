// One end (source or destination) of the rule of a Calico policy. In: the wire EntityRule. Out: what the other end of a packet must
// be; whatever is bad is reported, and the caller drops the match then.
//
// Selectors become one: (namespaces) && ((service accounts) && (selector)), nested as Calico nests them, because their text names
// kernel sets. Without a namespaceSelector the rule of a namespaced policy is about its own namespace, as soon as it has any
// selector; one that has nets or ports alone is not.

import { canonicalCidr } from '../../model/net/cidr.ts';
import type { Port } from '../../model/net/port.ts';
import { anyEntity, type EntityMatch } from '../../model/rule.ts';
import type { Selector, SelectorNode } from '../../model/selector/ast.ts';
import { dnsSubdomainProblem, portNameProblem } from './names.ts';
import { inNamespace } from './policy-peers.ts';
import type { Report } from './problem.ts';
import { conjunction, hasNamespace, hasServiceAccount, readSelector, rewritten } from './selector-field.ts';
import { fieldsOf, type Fields, isAbsent, knowsAll, readFields, readList, shown } from './wire.ts';

/** Where the end stands. */
export interface EntityPlace {
  readonly field: string;
  /** Of the policy; empty for a global one. */
  readonly namespace: string;
  /** Whether this end of this direction may name services. */
  readonly takesServices: boolean;
  /** Services say the ports of this end. */
  readonly isDestination: boolean;
}

const known = ['nets', 'notNets', 'selector', 'notSelector', 'namespaceSelector', 'ports', 'notPorts', 'serviceAccounts', 'services'];

export function readEntity(value: unknown, place: EntityPlace, report: Report): EntityMatch {
  const { field } = place;
  const entity = readFields(value, field, report) ?? {};
  knowsAll(entity, known, field, report);
  const nets = readNets(entity['nets'], `${field}.nets`, report);
  const notNets = readNets(entity['notNets'], `${field}.notNets`, report);
  const ports = readPorts(entity['ports'], `${field}.ports`, report);
  const notPorts = readPorts(entity['notPorts'], `${field}.notPorts`, report);
  const selectors = readSelectors(entity, place, report);
  const service = isAbsent(entity['services']) ? undefined : readService(entity, place, report);
  const match = { nets, notNets, ports, notPorts, ...selectors, ...(service === undefined ? {} : { service }) };
  const isAny = Object.values(match).every((part) => Array.isArray(part) && part.length === 0);
  return isAny ? anyEntity : match;
}

function readNets(value: unknown, field: string, report: Report): readonly string[] {
  const list = readList(value, field, report) ?? [];
  const nets = list.map((entry, i) => {
    const cidr = typeof entry === 'string' ? canonicalCidr(entry) : undefined;
    if (cidr === undefined) report(`${field}[${i}]`, `${shown(entry)} is no CIDR`, 'write it like 10.0.0.0/24 or fd00::/64, without leading zeros');
    return cidr;
  });
  return [...new Set(nets.filter((cidr) => cidr !== undefined))];
}

function readPorts(value: unknown, field: string, report: Report): readonly Port[] {
  const list = readList(value, field, report) ?? [];
  return list.map((entry, i) => readPort(entry, `${field}[${i}]`, report)).filter((port) => port !== undefined);
}

/** A number, "80", "80:90" or the name of a port. */
function readPort(value: unknown, field: string, report: Report): Port | undefined {
  const [, first, last = first] = /^(\d+)(?::(\d+))?$/.exec(typeof value === 'number' ? String(value) : typeof value === 'string' ? value : '') ?? [];
  if (first !== undefined) {
    const range = { first: Number(first), last: Number(last) };
    if (range.first <= range.last && range.last <= 65_535) return range;
  } else if (typeof value === 'string' && portNameProblem(value) === undefined) {
    return { name: value };
  }
  report(field, `${shown(value)} is no port`, 'use a number up to 65535, a range like "80:90", or the name of a container port');
  return undefined;
}

function readSelectors(entity: Fields, place: EntityPlace, report: Report): { selector?: Selector; notSelector?: Selector } {
  const at = (name: string): string => `${place.field}.${name}`;
  const own = readSelector(entity['selector'], at('selector'), report);
  const negated = readSelector(entity['notSelector'], at('notSelector'), report);
  const namespaces = readSelector(entity['namespaceSelector'], at('namespaceSelector'), report, { allowsGlobal: true });
  const accounts = readServiceAccounts(entity['serviceAccounts'], at('serviceAccounts'), report);
  if (own === undefined || negated === undefined || namespaces === undefined || accounts === undefined) return {};

  const endpoints = [...accounts, own].filter((node) => node !== 'none');
  const terms: SelectorNode[] = endpoints.length === 0 ? [] : [{ kind: 'and', operands: endpoints }];
  if (namespaces !== 'none') terms.unshift(rewritten(namespaces, 'pcns.', hasNamespace));
  else if (place.namespace !== '' && (terms.length > 0 || negated !== 'none')) terms.unshift(inNamespace(place.namespace));
  const selector = terms.length === 0 ? undefined : conjunction(terms, place.field, report);
  const notSelector = negated === 'none' ? undefined : conjunction([negated], at('notSelector'), report);
  return { ...(selector === undefined ? {} : { selector }), ...(notSelector === undefined ? {} : { notSelector }) };
}

/** No term where it names and selects nothing; else one. Undefined where it is bad. */
function readServiceAccounts(value: unknown, field: string, report: Report): readonly SelectorNode[] | undefined {
  const match = readFields(value, field, report);
  if (match === undefined) return undefined;
  const allKnown = knowsAll(match, ['names', 'selector'], field, report);
  const selector = readSelector(match['selector'], `${field}.selector`, report);
  const list = readList(match['names'], `${field}.names`, report);
  if (!allKnown || selector === undefined || list === undefined) return undefined;
  let sound = true;
  for (const [i, name] of list.entries()) {
    // The API takes any text. One that no account can have matches nobody; one that the language cannot say is bad.
    if (typeof name === 'string' && !/['"]/.test(name) && name.isWellFormed()) continue;
    report(`${field}.names[${i}]`, `${shown(name)} is no name of an account`);
    sound = false;
  }
  if (!sound) return undefined;
  const terms: SelectorNode[] = selector === 'none' ? [] : [rewritten(selector, 'pcsa.', hasServiceAccount)];
  if (list.length > 0) terms.push({ kind: 'in', label: 'projectcalico.org/serviceaccount', values: list as readonly string[] });
  return terms.length > 1 ? [{ kind: 'and', operands: terms }] : terms;
}

function readService(entity: Fields, { field, namespace: own, takesServices, isDestination }: EntityPlace, report: Report): string | undefined {
  if (!takesServices) report(`${field}.services`, 'may only stand in the source of an ingress rule or the destination of an egress rule');
  for (const name of ['nets', 'notNets', 'selector', 'notSelector', 'namespaceSelector', 'serviceAccounts', ...(isDestination ? ['ports', 'notPorts'] : [])]) {
    const beside = entity[name];
    if (isAbsent(beside) || beside === '' || (Array.isArray(beside) && beside.length === 0)) continue;
    report(`${field}.${name}`, 'stands beside services', 'make two rules of it');
  }
  const match = fieldsOf(entity['services']);
  if (match === undefined) {
    report(`${field}.services`, 'must be an object');
    return undefined;
  }
  knowsAll(match, ['name', 'namespace'], `${field}.services`, report);
  const { name } = match;
  const namespace = isAbsent(match['namespace']) || match['namespace'] === '' ? own : match['namespace'];
  const nameProblem = typeof name === 'string' ? dnsSubdomainProblem(name) : 'must be a string';
  const namespaceProblem = typeof namespace === 'string' ? dnsSubdomainProblem(namespace) : 'must be a string';
  if (nameProblem !== undefined) report(`${field}.services.name`, `${shown(name)} ${nameProblem}`);
  if (namespaceProblem !== undefined) report(`${field}.services.namespace`, `${shown(namespace)} ${namespaceProblem}`, 'give the namespace of the service');
  return nameProblem === undefined && namespaceProblem === undefined ? `${namespace as string}/${name as string}` : undefined;
}
