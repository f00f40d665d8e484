// The sets of a network namespace, and the commands of ipset on them: create, add, del, flush, swap, rename, destroy, one text each,
// with the tool's refusals. Stricter than the tool where it would expand or resolve what it is given (ranges, host names, CIDRs
// in a hash:ip set): those are refusals here.

import type { SetHeader } from '../../src/dataplane/kernel.ts';
import { ipv4Text, ipv6Text, parsePrefix } from '../../src/simulate/address.ts';
import { protocolName, protocolNumber, protocols } from '../../src/simulate/protocol-names.ts';

interface FakeSet {
  readonly type: 'hash:net' | 'hash:ip' | 'hash:ip,port';
  readonly family: 'inet' | 'inet6';
  readonly maxElements: number;
  readonly hashSize: number;
  readonly members: Set<string>;
}

export class SetStore {
  readonly #sets = new Map<string, FakeSet>();
  readonly #isReferenced: (set: string) => boolean;

  constructor(isReferenced: (set: string) => boolean) {
    this.#isReferenced = isReferenced;
  }

  family(set: string): 'inet' | 'inet6' | undefined {
    return this.#sets.get(set)?.family;
  }

  headers(): SetHeader[] {
    return [...this.#sets].map(([name, { type, family, maxElements, members }]) => ({ name, type, family, maxElements, entries: members.size }));
  }

  /** As `ipset save` prints it, of one set or all; undefined when the named set does not exist. */
  text(name?: string): string | undefined {
    if (name !== undefined && !this.#sets.has(name)) return undefined;
    const names = name === undefined ? [...this.#sets.keys()] : [name];
    return names
      .flatMap((set) => {
        const { type, family, hashSize, maxElements, members } = this.#sets.get(set) as FakeSet;
        const create = `create ${set} ${type} family ${family} hashsize ${hashSize} maxelem ${maxElements} bucketsize 12 initval 0x00000000\n`;
        return [create, ...[...members].map((member) => `add ${set} ${member}\n`)];
      })
      .join('');
  }

  /** Executes one command; returns what the tool would complain of, or undefined. */
  execute(command: string): string | undefined {
    if (/[^\x20-\x7e]/.test(command)) return 'control character';
    const words = command.split(' ').filter((word) => word !== '');
    const exist = words.some((word) => /^(-exist|--exist|-!)$/.test(word));
    const [verb = '', name, ...rest] = words.filter((word) => !/^(-exist|--exist|-!)$/.test(word));
    if (name === undefined) return `Missing mandatory argument to command ${verb}`;
    switch (verb) {
      case 'create':
        return this.#create(name, rest, exist);
      case 'add':
        return this.#add(name, rest, exist);
      case 'del':
        return this.#delete(name, rest, exist);
      case 'flush':
        return rest.length > 0 ? 'Unknown argument' : this.#with(name, ({ members }) => members.clear());
      case 'destroy':
        if (rest.length > 0) return 'Unknown argument';
        if (this.#sets.has(name) && this.#isReferenced(name)) return 'Set cannot be destroyed: it is in use by a kernel component';
        return this.#sets.delete(name) ? undefined : 'The set with the given name does not exist';
      case 'swap':
        return this.#swap(name, rest);
      case 'rename':
        return this.#rename(name, rest);
      default:
        return `No command specified: unknown argument ${verb}`;
    }
  }

  #with(name: string, effect: (set: FakeSet) => string | void): string | undefined {
    const set = this.#sets.get(name);
    return set === undefined ? 'The set with the given name does not exist' : (effect(set) ?? undefined);
  }

  #create(name: string, [type, ...options]: readonly string[], exist: boolean): string | undefined {
    if (name.length > 31) return `Syntax error: setname '${name}' is longer than 31 characters`;
    if (type !== 'hash:net' && type !== 'hash:ip' && type !== 'hash:ip,port') return `Syntax error: typename '${type}' is unknown`;
    const given = new Map<string, string>();
    for (let i = 0; i < options.length; i += 2) given.set(options[i] as string, options[i + 1] ?? '');
    const family = given.get('family') ?? 'inet';
    const numbers = ['maxelem', 'hashsize'].map((option) => given.get(option) ?? (option === 'maxelem' ? '65536' : '1024'));
    if (family !== 'inet' && family !== 'inet6') return `Syntax error: unknown inet family ${family}`;
    if (!numbers.every((number) => /^\d{1,10}$/.test(number))) return `Syntax error: invalid as number`;
    const unknown = [...given.keys()].find((option) => !['family', 'maxelem', 'hashsize'].includes(option));
    if (unknown !== undefined || options.length % 2 !== 0) return `Unknown argument: \`${unknown ?? options.at(-1)}'`;
    const set: FakeSet = { type, family, maxElements: Number(numbers[0]), hashSize: Number(numbers[1]), members: new Set() };
    const present = this.#sets.get(name);
    if (present === undefined) {
      this.#sets.set(name, set);
      return undefined;
    }
    const same = present.type === type && present.family === family && present.maxElements === set.maxElements;
    return exist && same ? undefined : 'Set cannot be created: set with the same name already exists';
  }

  #add(name: string, [text, ...rest]: readonly string[], exist: boolean): string | undefined {
    return this.#with(name, (set) => {
      if (text === undefined || rest.length > 0) return 'Unknown or missing argument';
      const member = canonicalMember(text, set);
      if (member === undefined) return `Syntax error: cannot parse ${text}`;
      if (set.members.has(member)) return exist ? undefined : "Element cannot be added to the set: it's already added";
      if (set.members.size >= set.maxElements) return 'Hash is full, cannot add more elements';
      set.members.add(member);
      return undefined;
    });
  }

  #delete(name: string, [text, ...rest]: readonly string[], exist: boolean): string | undefined {
    return this.#with(name, (set) => {
      if (text === undefined || rest.length > 0) return 'Unknown or missing argument';
      const member = canonicalMember(text, set);
      if (member === undefined) return `Syntax error: cannot parse ${text}`;
      return set.members.delete(member) || exist ? undefined : "Element cannot be deleted from the set: it's not added";
    });
  }

  /** Contents change places; rules keep the name they refer to. */
  #swap(name: string, [other, ...rest]: readonly string[]): string | undefined {
    const from = this.#sets.get(name);
    const to = this.#sets.get(other ?? '');
    if (rest.length > 0 || other === undefined) return 'Unknown or missing argument';
    if (from === undefined || to === undefined) return 'Sets cannot be swapped: a set does not exist';
    if (from.type !== to.type || from.family !== to.family) return 'The sets cannot be swapped: their type does not match';
    this.#sets.set(name, to).set(other, from);
    return undefined;
  }

  #rename(name: string, [other, ...rest]: readonly string[]): string | undefined {
    return this.#with(name, (set) => {
      if (other === undefined || other.length > 31 || rest.length > 0) return 'Unknown or missing argument';
      if (this.#sets.has(other)) return 'Set cannot be renamed: a set with the new name already exists';
      if (this.#isReferenced(name)) return 'Set cannot be renamed: it is in use by another system';
      this.#sets.delete(name);
      this.#sets.set(other, set);
      return undefined;
    });
  }
}

/** A member as the kernel keeps and prints it; undefined when the tool would not take it. */
function canonicalMember(text: string, set: FakeSet): string | undefined {
  const [address = '', port, rest] = text.split(',');
  const prefix = parsePrefix(address);
  if (prefix === undefined || rest !== undefined || prefix.family !== (set.family === 'inet' ? 4 : 6)) return undefined;
  const whole = prefix.family === 4 ? 32 : 128;
  const plain = prefix.family === 4 ? ipv4Text(prefix.value) : ipv6Text(prefix.value);
  if ((set.type === 'hash:ip,port') !== (port !== undefined)) return undefined;
  if (set.type === 'hash:net') {
    if (prefix.length === 0) return undefined;
    return prefix.length === whole ? plain : `${plain}/${prefix.length}`;
  }
  if (prefix.length !== whole || prefix.value === (prefix.family === 4 ? 0 : 0n)) return undefined;
  return port === undefined ? plain : portMember(plain, port);
}

/** "tcp:80", "80" (TCP), "132:9"; protocols without ports take 0. */
function portMember(address: string, text: string): string | undefined {
  const [protocol, port] = text.includes(':') ? text.split(':') : ['tcp', text];
  const number = protocolNumber(protocol ?? '');
  if (number === undefined || number === 0 || !/^\d{1,5}$/.test(port ?? '') || Number(port) > 65_535) return undefined;
  if (number === protocols.icmp || number === protocols.icmpv6) return undefined;
  const hasPorts = [protocols.tcp, protocols.udp, protocols.sctp, protocols.udplite].some((candidate) => candidate === number);
  return hasPorts || Number(port) === 0 ? `${address},${protocolName(number)}:${Number(port)}` : undefined;
}
