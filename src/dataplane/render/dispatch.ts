// From an interface's name to its endpoint's chains: a fan-out that never changes its shape, so that a new pod is one rule in one
// small chain for each direction.
//
//   cali-from-wl-dispatch          -i cali0+ -> cali-from-wl-dispatch-0 … f
//                                  -i <name whose next character is no hex digit> -> its chain
//                                  drop "Unknown interface"
//   cali-from-wl-dispatch-<digit>  -i <name> -> its chain
//                                  drop "Unknown interface"
//
// A name matches one entry at most, so the entries are keyed: their order does not matter.

import { inInterface, outInterface } from './match.ts';
import { chains, endpointChainName } from './names.ts';
import type { Direction } from './names.ts';
import { denyTarget } from './options.ts';
import type { RenderOptions } from './options.ts';
import { goto, rule } from './rule.ts';
import type { Chain, Rule } from './rule.ts';

const digits = '0123456789abcdef';
const directions: readonly Direction[] = ['ingress', 'egress'];

export interface DispatchEntry {
  readonly chain: string;
  readonly rule: Rule;
}

/** The chains without endpoints. */
export function dispatchChains(options: RenderOptions): Chain[] {
  const tail = [rule([], denyTarget(options), 'Unknown interface')];
  return directions.flatMap((direction): Chain[] => {
    const root = rootName(direction);
    const fanOut = options.interfacePrefixes.flatMap((prefix) =>
      // A prefix that fills an interface's name leaves no room for a digit.
      prefix.length >= 15 ? [] : [...digits].map((digit) => rule([interfaceMatch(direction, prefix + digit, true)], goto(`${root}-${digit}`))),
    );
    return [
      { kind: 'keyed', name: root, rules: fanOut, tail },
      ...[...digits].map((digit): Chain => ({ kind: 'keyed', name: `${root}-${digit}`, rules: [], tail })),
    ];
  });
}

/** Where an endpoint's interface is entered, for both directions. Throws EncodingRefused. */
export function dispatchEntries(interfaceName: string, options: RenderOptions): DispatchEntry[] {
  const digit = nextDigit(interfaceName, options.interfacePrefixes);
  return directions.map((direction) => ({
    chain: digit === undefined ? rootName(direction) : `${rootName(direction)}-${digit}`,
    rule: rule([interfaceMatch(direction, interfaceName, false)], goto(endpointChainName(direction, interfaceName))),
  }));
}

/** Prefixes without those that a shorter one covers. */
export function disjointPrefixes(prefixes: readonly string[]): string[] {
  return [...new Set(prefixes)].filter((prefix) => !prefixes.some((other) => other !== prefix && prefix.startsWith(other)));
}

function rootName(direction: Direction): string {
  return direction === 'ingress' ? chains.toWorkloads : chains.fromWorkloads;
}

/** What goes to a workload leaves the node by its interface. */
function interfaceMatch(direction: Direction, name: string, anyOf: boolean): ReturnType<typeof inInterface> {
  return direction === 'ingress' ? outInterface(name, anyOf) : inInterface(name, anyOf);
}

function nextDigit(interfaceName: string, prefixes: readonly string[]): string | undefined {
  const prefix = prefixes.find((candidate) => interfaceName.startsWith(candidate));
  const next = prefix === undefined ? undefined : interfaceName[prefix.length];
  return next !== undefined && digits.includes(next) ? next : undefined;
}
