// The chains that are there whatever the objects are, and the rules by which the kernel's own chains reach them (filter table).

import { connectionState, icmp, inInterface, markSet, outInterface, protocol } from './match.ts';
import { dispatchChains } from './dispatch.ts';
import { chains } from './names.ts';
import type { RenderOptions } from './options.ts';
import { builtin, clearMark, goto, jump, rule } from './rule.ts';
import type { Chain, Rule } from './rule.ts';

/** Our rules in a chain of the kernel: at its top, and at its end. */
export interface Hook {
  readonly chain: string;
  readonly inserted: readonly Rule[];
  readonly appended: readonly Rule[];
}

/** `mode`: where our jumps go; the rule that accepts what policy allowed is always appended. */
export function filterHooks(options: RenderOptions, mode: 'insert' | 'append'): Hook[] {
  return ([['INPUT', chains.input], ['FORWARD', chains.forward], ['OUTPUT', chains.output]] as const).map(([chain, ours]) => {
    const jumps = [rule([], jump(ours))];
    const appended = chain === 'FORWARD' ? [acceptRule(options)] : [];
    return mode === 'insert' ? { chain, inserted: jumps, appended } : { chain, inserted: [], appended: [...jumps, ...appended] };
  });
}

/** What policy allowed passes other components' rules in FORWARD first, and is accepted behind them. */
function acceptRule({ marks, allowAction }: RenderOptions): Rule {
  return rule([markSet(marks.accept)], builtin(allowAction), 'Policy explicitly accepted packet.');
}

export function filterChains(options: RenderOptions): Chain[] {
  return [...entryChains(options), workloadToHost(options), ...dispatchChains(options)];
}

function entryChains({ marks, interfacePrefixes }: RenderOptions): Chain[] {
  // The raw table is not ours, so nothing ahead of us has cleared the marks: a stale or forged one is never trusted.
  const clear = rule([], clearMark(marks.all));
  return [
    {
      kind: 'ordered',
      name: chains.forward,
      rules: [
        clear,
        ...interfacePrefixes.map((prefix) => rule([inInterface(prefix, true)], jump(chains.fromWorkloads))),
        ...interfacePrefixes.map((prefix) => rule([outInterface(prefix, true)], jump(chains.toWorkloads))),
      ],
    },
    {
      kind: 'ordered',
      name: chains.input,
      rules: [clear, ...interfacePrefixes.map((prefix) => rule([inInterface(prefix, true)], goto(chains.workloadToHost)))],
    },
    // The host may always talk to its own workloads.
    { kind: 'ordered', name: chains.output, rules: [clear] },
  ];
}

/** Neighbour discovery, router solicitation and multicast listener messages, without which IPv6 does not work at all. */
const icmpv6Always = [130, 131, 132, 133, 135, 136];

function workloadToHost(options: RenderOptions): Chain {
  const rules: Rule[] = [];
  if (options.family === 6) {
    for (const type of icmpv6Always) rules.push(rule([protocol(58), icmp(6, { type })], builtin('ACCEPT')));
  }
  rules.push(rule([], jump(chains.fromWorkloads)));
  // With ACCEPT they were accepted in the endpoint's chain: answers to the host's own connections are no new traffic to it.
  if (options.allowAction === 'RETURN') rules.push(rule([connectionState('RELATED,ESTABLISHED')], builtin('RETURN')));
  // RETURN is what the end of the chain does.
  if (options.endpointToHostAction !== 'RETURN') {
    rules.push(rule([], builtin(options.endpointToHostAction), 'Configured DefaultEndpointToHostAction'));
  }
  return { kind: 'ordered', name: chains.workloadToHost, rules };
}
