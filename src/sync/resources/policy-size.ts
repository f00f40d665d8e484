// How much of the kernel one NetworkPolicy may take. The API multiplies: each peer of an entry takes a rule of its own for every fifteen
// ports and for every named one, each of its exceptions one for every protocol, and each peer that selects pods whose ports are named
// a set for every name. So a policy of a hundred kilobytes could ask for millions of rules and sets, of every node that has a pod of its
// namespace. An entry that would exceed the limit is not in force, which is what holds for one that cannot be read.
//
// In: the entries of one policy, one after the other. Out: whether there is room for it.

import type { EntityMatch } from '../../model/rule.ts';
import type { ProtocolPorts } from './policy-ports.ts';

/** A hundred times what a large policy takes; half of what a policy of the largest size takes that multiplies nothing. */
export const maxKernelRules = 50_000;
export const maxPortSets = 5_000;

/** Ports of one kernel rule; a range counts as two. */
const portSlots = 15;

export class PolicySize {
  #rules = 0;
  #sets = 0;

  /** Takes the room, if there is. `areNamed`: whether the peers are those whose ports may have names. */
  hasRoomFor(peers: readonly EntityMatch[], ports: 'any' | readonly ProtocolPorts[], areNamed: boolean): boolean {
    const owners = 1 + (areNamed ? peers.filter(({ selector }) => selector !== undefined).length : 0);
    const lists = ports === 'any' ? [] : ports;
    const exceptions = sum(peers.map(({ notNets }) => notNets.length));
    const rules = this.#rules + (ports === 'any' ? peers.length + exceptions : peers.length * sum(lists.map(rulesFor)) + lists.length * exceptions);
    const sets = this.#sets + owners * sum(lists.map(namesIn));
    if (rules > maxKernelRules || sets > maxPortSets) return false;
    this.#rules = rules;
    this.#sets = sets;
    return true;
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

function namesIn({ ports }: ProtocolPorts): number {
  return ports.filter((port) => 'name' in port).length;
}

function rulesFor(list: ProtocolPorts): number {
  let slots = 0;
  for (const port of list.ports) if (!('name' in port)) slots += port.first === port.last ? 1 : 2;
  return Math.max(1, Math.ceil(slots / portSlots) + namesIn(list));
}
