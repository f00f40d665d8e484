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
export interface SetDefinition {
  readonly use: SetUse;
  readonly selector: Selector;
  readonly port?: NamedPort;
}

/** Identifies a definition in memory; cheaper than the id. */
export function definitionKey({ use, selector, port }: SetDefinition): string {
  return port === undefined ? `${use} ${selector.text}` : `${use} ${portText(port)} ${selector.text}`;
}

/** Kernel names have 31 characters, six of which are the family's prefix. */
const idLength = 25;

/** Letters in front of the hash, by use: Felix has one set where we have up to three, that of its Allow rules. */
const selectorPrefix = { allow: 's', deny: 'sd', pass: 'sp' } as const;
const portPrefix = { allow: 'n', deny: 'nd', pass: 'np' } as const;

export function setId({ use, selector, port }: SetDefinition): SetId {
  if (port === undefined) return uniqueId(selectorPrefix[use], selector.text).slice(0, idLength);
  const definition = `${uniqueId('s', selector.text)},${protocolName(port)},${port.name}`;
  return uniqueId(portPrefix[use], definition).slice(0, idLength);
}

export function setType({ port }: SetDefinition): SetType {
  return port === undefined ? 'net' : 'ip-port';
}

/** The set as the dataplane gets it. */
export function desiredSet(id: SetId, definition: SetDefinition, members: readonly string[]): DesiredSet {
  const { port, selector, use } = definition;
  const description = port === undefined ? selector.text : `port ${portText(port)} of ${selector.text}`;
  return { id, type: setType(definition), use, description, members };
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
