// The ipset commands that this program writes, checked at the last moment before they reach the tool. In: one command as text. Out:
// its parts, or why it must not be written.
//
// This is more than tidiness. After a line that ipset cannot parse, its interactive mode keeps what it had parsed so far: an
// "add a 10.0.0.0/24 typo" followed by "add b 10.9.9.9" puts 10.9.9.0/24 into b (seen with ipset 7.17). `flush` and `destroy`
// without a name empty the whole node, "x" is short for destroy, a name instead of an address asks the DNS, and a line of more than
// 1,023 bytes is read as two. So: exact words, canonical addresses, names always.

import { encodeMember, encodeSetName } from './encoding.ts';
import { EncodingRefused } from './errors.ts';

export interface SetCommand {
  readonly verb: 'create' | 'add' | 'del' | 'flush' | 'swap' | 'rename' | 'destroy';
  /** The command without its -exist. */
  readonly text: string;
  /** With -exist: no failure if what it asks for is already so. */
  readonly exist: boolean;
}

const existOption = /^(?:-exist|--exist|-!)$/;
const setTypes = new Set(['hash:ip', 'hash:net', 'hash:ip,port']);
const createOptions: Readonly<Record<string, RegExp>> = {
  family: /^inet6?$/,
  hashsize: /^[1-9]\d{0,9}$/,
  maxelem: /^[1-9]\d{0,9}$/,
  bucketsize: /^[1-9]\d{0,2}$/,
  initval: /^0x[0-9a-f]{1,8}$/,
};

/** Throws EncodingRefused. */
export function parseSetCommand(command: string): SetCommand {
  if (command.length > 500) throw new EncodingRefused('ipset command', command);
  const words = command.split(' ');
  const exist = words.some((word) => existOption.test(word));
  const [verb, name, ...rest] = words.filter((word) => !existOption.test(word));
  checkName(name);
  switch (verb) {
    case 'create':
      checkCreate(command, rest);
      break;
    case 'add':
    case 'del':
      checkMember(command, name ?? '', rest);
      break;
    case 'swap':
    case 'rename':
      if (rest.length !== 1) throw new EncodingRefused('ipset command', command);
      checkName(rest[0]);
      break;
    case 'flush':
    case 'destroy':
      if (rest.length > 0) throw new EncodingRefused('ipset command', command);
      break;
    default:
      throw new EncodingRefused('ipset command', command);
  }
  return { verb, exist, text: [verb, name, ...rest].join(' ') };
}

/** A name that begins with "-" would be an option. */
function checkName(name: string | undefined): void {
  encodeSetName(name ?? '');
  if (name?.startsWith('-') === true) throw new EncodingRefused('set name', name);
}

function checkCreate(command: string, [type, ...options]: readonly string[]): void {
  if (type === undefined || !setTypes.has(type) || options.length % 2 !== 0) throw new EncodingRefused('ipset command', command);
  for (let index = 0; index < options.length; index += 2) {
    const form = createOptions[options[index] ?? ''];
    if (form === undefined || !form.test(options[index + 1] ?? '')) throw new EncodingRefused('ipset command', command);
  }
}

function checkMember(command: string, set: string, [member, ...rest]: readonly string[]): void {
  if (member === undefined || rest.length > 0) throw new EncodingRefused('ipset command', command);
  encodeMember(member);
  // No hash type can hold it: two halves must be written instead.
  if (member.endsWith('/0')) throw new EncodingRefused('set member', member);
  // In a set of the other family the tool takes an address for a host name. Our names tell the family.
  const family = /^cali([46])/.exec(set)?.[1];
  const [address = ''] = member.split(',', 1);
  if (family !== undefined && (family === '6') !== address.includes(':')) throw new EncodingRefused(`member of ${set}`, member);
}

/** What ipset prints where a command with -exist has nothing to do. `create` is not among them: the options must agree. */
export function alreadySo(command: SetCommand, output: string): boolean {
  if (!command.exist) return false;
  switch (command.verb) {
    case 'add':
      return output.includes("it's already added");
    case 'del':
      return output.includes("it's not added");
    case 'destroy':
      return output.includes('The set with the given name does not exist');
    default:
      return false;
  }
}
