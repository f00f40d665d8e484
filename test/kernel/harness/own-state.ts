// What a node's kernel holds of ours in the filter table and in sets, as text in which only what matters differs: for comparing two
// kernels. Order counts where it counts in the kernel: the entries of a dispatch chain, the chains and the sets have none.

import type { Namespace } from './namespace.ts';
import type { Backend } from './stage.ts';

const OWN_CHAIN = /^(?:cali|felix)/;
const KERNEL_CHAIN = /^(?:INPUT|FORWARD|OUTPUT)$/;
/** The marker of a running agent's ipset process. */
const MARKER = 'cali4-ack';

export async function ownState(netns: Namespace, backend: Backend): Promise<string> {
  const env = { XTABLES_LOCKFILE: netns.lockFile };
  const rules = (await netns.run(`iptables-${backend}-save`, ['-t', 'filter'], { env })).stdout;
  const sets = (await netns.run('ipset', ['save'])).stdout;
  return `${ownRules(rules)}\n${ownSets(sets)}\n`;
}

function ownRules(text: string): string {
  const chains = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const declared = /^:(\S+)/.exec(line)?.[1];
    if (declared !== undefined && (OWN_CHAIN.test(declared) || KERNEL_CHAIN.test(declared))) chains.set(declared, []);
    const chain = /^-A (\S+)/.exec(line)?.[1];
    if (chain !== undefined && (OWN_CHAIN.test(chain) || line.includes('cali:'))) chains.get(chain)?.push(line);
  }
  return [...chains]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([chain, rules]) => {
      const entries = /-dispatch/.test(chain) ? [...rules.slice(0, -1).sort(), ...rules.slice(-1)] : rules;
      return [`:${chain}`, ...entries].join('\n');
    })
    .join('\n');
}

function ownSets(text: string): string {
  return text
    .split('\n')
    .filter((line) => /^(?:create|add) (?:cali|felix)/.test(line) && line.split(' ')[1] !== MARKER)
    // How large its table has grown is the set's own affair.
    .map((line) => line.replaceAll(/ (?:hashsize|bucketsize|initval) \S+/g, ''))
    .sort()
    .join('\n');
}
