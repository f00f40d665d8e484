// Evaluates a packet through the filter table as netfilter does.
//
//   jump (-j)    remembers the place and enters the chain
//   goto (-g)    enters the chain without remembering
//   RETURN, and the end of a chain of one's own: back to behind the last place remembered; with none left, the policy of the
//                hook's chain decides (also after a goto out of it)
//   ACCEPT, DROP, REJECT end it; MARK changes the packet's mark and goes on; LOG, NFLOG and rules without a target go on
//
// In: a linked kernel, a packet, its circumstances. Out: what happens, by which rule or policy, and every rule that matched on the
// way. Throws SimulationError where that is not certain: an unknown match or target was reached, a loop, an incomplete packet.

import { hookOf } from '../model/packet.ts';
import type { Hook, Packet } from '../model/packet.ts';
import type { Action } from '../model/verdict.ts';
import { SimulationError } from './errors.ts';
import type { Kernel, LinkedChain, LinkedRule, LinkedTable } from './kernel.ts';
import { factsOf } from './packet-facts.ts';
import type { Circumstances, PacketFacts } from './packet-facts.ts';
import type { Rule } from './rule.ts';

export interface Simulation {
  readonly action: Action;
  readonly hook: Hook;
  /** The rule that decided, or the policy of the hook's chain. */
  readonly decidedBy: { readonly kind: 'rule'; readonly rule: Rule } | { readonly kind: 'policy'; readonly chain: Hook };
  /** Every rule that matched, in order, the deciding one last. */
  readonly trace: readonly Rule[];
  /** The packet's mark in the end. */
  readonly mark: number;
}

export function simulate(kernel: Kernel, packet: Packet, circumstances?: Circumstances): Simulation {
  const table = kernel.tables.get(packet.family);
  if (table === undefined) throw new SimulationError(`no rules were read for IPv${packet.family}`);
  const hook = hookOf(packet);
  return evaluate(table, hook, factsOf(packet, circumstances));
}

function evaluate(table: LinkedTable, hook: Hook, facts: PacketFacts): Simulation {
  const trace: Rule[] = [];
  const returnTo: { readonly chain: LinkedChain; readonly index: number }[] = [];
  let chain = table.hooks[hook];
  let index = 0;
  let gotos = 0;
  for (;;) {
    const linked = nextMatch(chain, index, facts);
    const effect = linked === undefined ? endOfChain : linked.effect;
    if (linked !== undefined) {
      trace.push(linked.rule);
      index = linked.rule.number;
    }
    switch (effect.kind) {
      case 'accept':
      case 'drop':
        return {
          action: effect.kind === 'accept' ? 'allow' : 'deny',
          hook,
          decidedBy: { kind: 'rule', rule: (linked as LinkedRule).rule },
          trace,
          mark: facts.mark,
        };
      case 'return': {
        const place = returnTo.pop();
        if (place === undefined) {
          const action = table.hooks[hook].policy === 'DROP' ? 'deny' : 'allow';
          return { action, hook, decidedBy: { kind: 'policy', chain: hook }, trace, mark: facts.mark };
        }
        ({ chain, index } = place);
        gotos = 0;
        break;
      }
      case 'jump':
      case 'goto':
        // A loop of jumps piles up places, a loop of gotos alone goes round without any: either passes more chains than there are.
        if (effect.kind === 'goto') {
          gotos += 1;
        } else {
          gotos = 0;
          returnTo.push({ chain, index });
        }
        if (gotos > table.chainCount || returnTo.length > table.chainCount) throw new SimulationError('rules loop', linked?.rule.text);
        chain = effect.chain;
        index = 0;
        break;
      case 'mark':
        facts.mark = ((facts.mark & effect.keep) ^ effect.flip) >>> 0;
        break;
      case 'unknown':
        throw new SimulationError(effect.problem, linked?.rule.text);
      case 'continue':
        break;
    }
  }
}

const endOfChain = Object.freeze({ kind: 'return' } as const);

function nextMatch(chain: LinkedChain, from: number, facts: PacketFacts): LinkedRule | undefined {
  const { rules } = chain;
  for (let i = from; i < rules.length; i += 1) {
    const linked = rules[i] as LinkedRule;
    if (linked.condition === undefined || linked.condition(facts)) return linked;
  }
  return undefined;
}
