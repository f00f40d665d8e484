// A set of the kernel with fast membership: one hash per prefix length in use (as the kernel itself does it), and for ip,port sets
// one hash of addresses per protocol and port.

import type { Family } from '../model/packet.ts';
import type { Prefix } from './address.ts';
import { mask4, mask6 } from './address.ts';

/** What a set match looks up: the address of one end and, for ip,port sets, protocol and port. */
export interface KernelSet {
  readonly name: string;
  readonly type: string;
  readonly family: Family;
  /** Parts of an element: a match that names fewer directions than this never matches. */
  readonly dimensions: 1 | 2;
  /** Present where the set cannot be judged: its type, or an element, is not known here. */
  readonly problem?: string;
  readonly entries: number;
  /** `port` is ignored by sets of one dimension; 0 for protocols without ports, type << 8 | code for ICMP. */
  has(address: number | bigint, protocol: number, port: number): boolean;
}

/** hash:net and hash:ip. An address is a member when any prefix covers it. */
export class PrefixSet implements KernelSet {
  readonly name: string;
  readonly type: string;
  readonly family: Family;
  readonly dimensions = 1;
  readonly #byLength: { readonly length: number; readonly values: Set<number | bigint> }[] = [];
  #entries = 0;

  constructor(name: string, type: string, family: Family) {
    this.name = name;
    this.type = type;
    this.family = family;
  }

  get entries(): number {
    return this.#entries;
  }

  add(prefix: Prefix): void {
    let hash = this.#byLength.find(({ length }) => length === prefix.length);
    if (hash === undefined) {
      hash = { length: prefix.length, values: new Set() };
      this.#byLength.push(hash);
    }
    // IPv4 keys are signed, so that a masked address needs no conversion to be looked up.
    hash.values.add(prefix.family === 4 ? prefix.value | 0 : prefix.value);
    this.#entries += 1;
  }

  has(address: number | bigint): boolean {
    for (const { length, values } of this.#byLength) {
      if (values.has(typeof address === 'number' ? address & mask4(length) : address & mask6(length))) return true;
    }
    return false;
  }
}

/** hash:ip,port. */
export class AddressPortSet implements KernelSet {
  readonly name: string;
  readonly type = 'hash:ip,port';
  readonly family: Family;
  readonly dimensions = 2;
  readonly #byPort = new Map<number, Set<number | bigint>>();
  #entries = 0;

  constructor(name: string, family: Family) {
    this.name = name;
    this.family = family;
  }

  get entries(): number {
    return this.#entries;
  }

  add(address: number | bigint, protocol: number, port: number): void {
    const key = (protocol << 16) | port;
    const addresses = this.#byPort.get(key) ?? new Set();
    this.#byPort.set(key, addresses.add(typeof address === 'number' ? address | 0 : address));
    this.#entries += 1;
  }

  has(address: number | bigint, protocol: number, port: number): boolean {
    const addresses = this.#byPort.get((protocol << 16) | port);
    return addresses !== undefined && addresses.has(typeof address === 'number' ? address | 0 : address);
  }
}

/** A set that is carried along and refuses to be asked. */
export function opaqueSet(name: string, type: string, family: Family, problem: string): KernelSet {
  return { name, type, family, dimensions: 1, entries: 0, problem, has: () => false };
}
