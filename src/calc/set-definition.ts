// What a kernel set stands for, and its name. Equal definitions have equal ids, on every node and after every restart; the sets of
// Allow rules have the ids that Felix gives them (cut to what fits), so that its sets can be taken over.

import { base64url } from '../lib/base64url.ts';
import { sha224 } from '../lib/sha224.ts';
import type { DesiredSet, SetId, SetType, SetUse } from '../model/desired.ts';
import { protocolText } from '../model/net/protocol.ts';
import type { Selector } from '../model/selector/ast.ts';

export interface NamedPort {
  readonly name: string;
  /** IANA number; absent: whatever protocol the port has. */
  readonly protocol?: number;
}

/** The addresses of what the selector matches, or where a port is named, its addresses with that port's numbers. */
export interface SelectorSet {
  readonly use: SetUse;
  readonly selector: Selector;
  readonly port?: NamedPort;
}

/** The addresses of a service's endpoints, or those with their ports. */
export interface ServiceSet {
  readonly use: SetUse;
  /** "namespace/name". */
  readonly service: string;
  readonly withPorts: boolean;
  /** Every address while some of the endpoints cannot be read, else none: beside a set with ports, which cannot hold every address. */
  readonly onlyBroken?: true;
}

export type SetDefinition = SelectorSet | ServiceSet;

export interface DefinedSet<D extends SetDefinition = SetDefinition> {
  readonly id: SetId;
  readonly definition: D;
}

export function isService(set: DefinedSet): set is DefinedSet<ServiceSet> {
  return 'service' in set.definition;
}

export function isSelector(set: DefinedSet): set is DefinedSet<SelectorSet> {
  return 'selector' in set.definition;
}

/** Characters of a selector that are not repeated for each of a rule's named ports, nor in a line of a log. */
const longText = 512;

/** Identifies a definition in memory; cheaper than the id. */
export function definitionKey(definition: SetDefinition): string {
  const { use } = definition;
  if ('service' in definition) return `${use} ${prefixOf(definition)} ${definition.service}`;
  const { selector, port } = definition;
  if (port === undefined) return `${use} ${selector.text}`;
  return `${use} ${portText(port)} ${selector.text.length < longText ? selector.text : hashOf(selector)}`;
}

/** Kernel names have 31 characters, six of which are the family's prefix. */
const idLength = 25;

/**
 * Letters in front of the hash, by use: Felix has one set where we have up to three, that of its Allow rules. Few letters: Felix's
 * "svcnoport" leaves 90 bits of the hash, of which somebody who may create services can find two that are equal.
 */
const selectorPrefix = { allow: 's', deny: 'sd', pass: 'sp' } as const;
const portPrefix = { allow: 'n', deny: 'nd', pass: 'np' } as const;
const servicePrefix = {
  allow: { ports: 'svc', addresses: 'svn' },
  deny: { ports: 'svcd', addresses: 'svnd' },
  pass: { ports: 'svcp', addresses: 'svnp' },
} as const;

function prefixOf({ use, withPorts, onlyBroken }: ServiceSet): string {
  return onlyBroken === true ? 'svb' : servicePrefix[use][withPorts ? 'ports' : 'addresses'];
}

export function setId(definition: SetDefinition): SetId {
  return fullId(definition).slice(0, idLength);
}

function fullId(definition: SetDefinition): string {
  const { use } = definition;
  if ('service' in definition) return uniqueId(prefixOf(definition), definition.service);
  const { selector, port } = definition;
  if (port === undefined) return uniqueId(selectorPrefix[use], selector.text);
  return uniqueId(portPrefix[use], `${hashOf(selector)},${protocolName(port)},${port.name}`);
}

const hashes = new WeakMap<Selector, string>();

/** Worked out once for all the named ports that have the selector. */
function hashOf(selector: Selector): string {
  const hash = hashes.get(selector) ?? uniqueId('s', selector.text);
  hashes.set(selector, hash);
  return hash;
}

export function setType(definition: SetDefinition): SetType {
  const hasPorts = 'service' in definition ? definition.withPorts : definition.port !== undefined;
  return hasPorts ? 'ip-port' : 'net';
}

/** The set as the dataplane gets it. */
export function desiredSet({ id, definition }: DefinedSet, members: readonly string[]): DesiredSet {
  return { id, type: setType(definition), use: definition.use, description: describe(definition), members };
}

function describe(definition: SetDefinition): string {
  if ('service' in definition && definition.onlyBroken === true) return `every address while endpoints of service ${definition.service} cannot be read`;
  if ('service' in definition) return `${definition.withPorts ? 'endpoints' : 'addresses'} of service ${definition.service}`;
  const { selector, port } = definition;
  const text = selector.text.length < longText ? selector.text : `${selector.text.slice(0, longText)}...`;
  return port === undefined ? text : `port ${portText(port)} of ${text}`;
}

function uniqueId(prefix: string, content: string): string {
  return `${prefix}:${base64url(sha224(`${prefix}:${content}`))}`;
}

function protocolName(port: NamedPort): string {
  return port.protocol === undefined ? 'any' : protocolText(port.protocol);
}

function portText(port: NamedPort): string {
  return `"${port.name}" (${protocolName(port)})`;
}
