// A second reading of one end of a rule, straight from the wire: does this thing match? Part by part, without any rewriting of
// selectors, and never yes to a part that it cannot read.

import { contains, parseAddress, parseCidr } from '../../../src/model/net/cidr.ts';
import type { SelectorNode } from '../../../src/model/selector/ast.ts';
import { parseSelector } from '../../../src/model/selector/parse.ts';

export type LabelMap = Readonly<Record<string, string>>;

/** What has an address and labels: a pod, or a network set. */
export interface Thing {
  readonly isPod: boolean;
  readonly address: string;
  readonly port: number;
  readonly labels: LabelMap;
  readonly namespace?: { readonly name: string; readonly labels: LabelMap };
  readonly account?: { readonly name: string; readonly labels: LabelMap };
  readonly ports: readonly { readonly name: string; readonly port: number }[];
}

/** As calc sees its labels. */
export function seenLabels({ isPod, labels, namespace, account }: Thing): ReadonlyMap<string, string> {
  const seen = new Map(Object.entries(labels));
  if (isPod) seen.set('projectcalico.org/orchestrator', 'k8s');
  if (namespace !== undefined) {
    seen.set('projectcalico.org/namespace', namespace.name).set('pcns.projectcalico.org/name', namespace.name);
    for (const [key, value] of Object.entries(namespace.labels)) seen.set(`pcns.${key}`, value);
  }
  if (account !== undefined) {
    seen.set('projectcalico.org/serviceaccount', account.name).set('pcsa.projectcalico.org/name', account.name);
    for (const [key, value] of Object.entries(account.labels)) seen.set(`pcsa.${key}`, value);
  }
  return seen;
}

type Fields = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);
const isNothing = (value: unknown): boolean => value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);

/** `namespace`: of the policy, "" for a global one. The rule is of TCP. */
export function naiveEntityMatch(entity: unknown, thing: Thing, namespace: string): boolean {
  if (entity === undefined || entity === null) return true;
  if (!isObject(entity)) return false;
  const { nets, notNets, selector, notSelector, namespaceSelector, serviceAccounts, ports, notPorts, ...others } = entity;
  if (Object.values(others).some((value) => !isNothing(value))) return false;
  const accounts = isNothing(serviceAccounts) ? {} : serviceAccounts;
  if (!isObject(accounts)) return false;
  const usesSelectors = ![selector, notSelector, accounts['names'], accounts['selector']].every(isNothing);
  const isAtHome = !isNothing(namespaceSelector) || namespace === '' || !usesSelectors || thing.namespace?.name === namespace;
  return (
    isAtHome &&
    (isNothing(nets) || some(nets, (net) => isWithin(net, thing.address) === true)) &&
    (isNothing(notNets) || every(notNets, (net) => isWithin(net, thing.address) === false)) &&
    (isNothing(ports) || some(ports, (port) => isPort(port, thing) === true)) &&
    (isNothing(notPorts) || every(notPorts, (port) => isPort(port, thing) === false)) &&
    (isNothing(selector) || says(selector, thing.labels, true) === true) &&
    (isNothing(notSelector) || says(notSelector, thing.labels, true) === false) &&
    (isNothing(namespaceSelector) || says(namespaceSelector, thing.namespace?.labels ?? {}, thing.namespace !== undefined) === true) &&
    (isNothing(accounts['selector']) || says(accounts['selector'], thing.account?.labels ?? {}, thing.account !== undefined) === true) &&
    (isNothing(accounts['names']) || some(accounts['names'], (name) => name === thing.account?.name))
  );
}

/** A peer of a policy of administrators. */
export function naivePeerMatch(peer: unknown, thing: Thing): boolean {
  if (!isObject(peer)) return false;
  const { namespaces, pods, networks, ...others } = peer;
  if (Object.values(others).some((value) => value !== null) || [namespaces, pods, networks].filter((each) => each !== undefined && each !== null).length !== 1) return false;
  if (networks !== undefined && networks !== null) return some(networks, (net) => isWithin(net, thing.address) === true);
  if (!thing.isPod || thing.namespace === undefined) return false;
  if (namespaces !== undefined && namespaces !== null) return selectsLabels(namespaces, thing.namespace.labels);
  return isObject(pods) && isObject(pods['podSelector']) && selectsLabels(pods['podSelector'], thing.labels) && selectsLabels(pods['namespaceSelector'] ?? {}, thing.namespace.labels);
}

function some(list: unknown, test: (entry: unknown) => boolean): boolean {
  return Array.isArray(list) && list.some(test);
}

function every(list: unknown, test: (entry: unknown) => boolean): boolean {
  return Array.isArray(list) && list.every(test);
}

function isWithin(net: unknown, address: string): boolean | undefined {
  const [cidr, parsed] = [typeof net === 'string' ? parseCidr(net) : undefined, parseAddress(address)];
  return cidr && parsed && contains(cidr, parsed);
}

function isPort(port: unknown, thing: Thing): boolean | undefined {
  if (typeof port !== 'number' && typeof port !== 'string') return undefined;
  const [first, last = first, ...more] = String(port).split(':').map(Number);
  if (first !== undefined && last !== undefined && more.length === 0 && Number.isInteger(first) && Number.isInteger(last)) return first <= thing.port && thing.port <= last;
  return thing.ports.some(({ name, port: offered }) => name === port && offered === thing.port);
}

/** `isThere`: whether there is a namespace or an account at all, which all() asks. */
function says(text: unknown, labels: LabelMap, isThere: boolean): boolean | undefined {
  if (typeof text !== 'string') return undefined;
  let root: SelectorNode;
  try {
    ({ root } = parseSelector(text));
  } catch {
    return undefined;
  }
  return holds(root, labels, isThere);
}

function holds(node: SelectorNode, labels: LabelMap, isThere: boolean): boolean {
  if (node.kind === 'all') return isThere;
  if (node.kind === 'global') return !isThere;
  if (node.kind === 'not') return !holds(node.operand, labels, isThere);
  if (node.kind === 'and') return node.operands.every((operand) => holds(operand, labels, isThere));
  if (node.kind === 'or') return node.operands.some((operand) => holds(operand, labels, isThere));
  const value = Object.hasOwn(labels, node.label) ? labels[node.label] : undefined;
  if (node.kind === 'has') return value !== undefined;
  if (node.kind === 'equals') return value === node.value;
  if (node.kind === 'not-equals') return value !== node.value;
  if (node.kind === 'in') return value !== undefined && node.values.includes(value);
  if (node.kind === 'not-in') return value === undefined || !node.values.includes(value);
  if (value === undefined) return false;
  return node.kind === 'contains' ? value.includes(node.value) : node.kind === 'starts-with' ? value.startsWith(node.value) : value.endsWith(node.value);
}

function selectsLabels(selector: unknown, labels: LabelMap): boolean {
  if (!isObject(selector)) return false;
  const { matchLabels, matchExpressions, ...others } = selector;
  if (Object.values(others).some((value) => value !== null)) return false;
  const wanted = isNothing(matchLabels) ? {} : matchLabels;
  if (!isObject(wanted) || !Object.entries(wanted).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value)) return false;
  return isNothing(matchExpressions) || every(matchExpressions, (entry) => {
    if (!isObject(entry)) return false;
    const value = Object.hasOwn(labels, String(entry['key'])) ? labels[String(entry['key'])] : undefined;
    if (entry['operator'] === 'Exists') return value !== undefined;
    if (entry['operator'] === 'DoesNotExist') return value === undefined;
    const isIn = some(entry['values'], (each) => each === value);
    return entry['operator'] === 'In' ? isIn : entry['operator'] === 'NotIn' && !isIn;
  });
}
