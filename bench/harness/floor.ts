// The floor under the agent's latency: the same changes of the same chains and sets, made by the bare tools with nobody deciding
// anything. In: a stage whose agent has written its rules; the agent is stopped, which leaves them in place. Out: time from the first
// byte to the first packet with the new verdict, and to the acknowledgement, with a coprocess and with a process per change.

import { setTimeout as sleep } from 'node:timers/promises';
import { openRules, openSets } from '../../src/dataplane/tools.ts';
import { workloadInterfaceName } from '../../src/sync/resources/pod.ts';
import { monotonicMicros } from '../../test/kernel/harness/probe.ts';
import type { BenchStage } from './bench-stage.ts';
import { CLIENT_ADDRESS } from './bench-stage.ts';
import { cidrPolicy, fresh, ports } from './objects.ts';
import type { PacketClock } from './packet-clock.ts';
import { summarize } from './statistics.ts';
import type { Summary } from './statistics.ts';

export type FloorName = 'pod' | 'policy' | 'member';
export type Floor = Readonly<Record<'coprocess' | 'process', { readonly packet: Summary; readonly acknowledged: Summary }>>;

interface Swing {
  readonly clock: PacketClock;
  readonly open: () => Promise<unknown>;
  readonly close: () => Promise<unknown>;
}

async function swing({ clock, open, close }: Swing, samples: number): Promise<Floor['process']> {
  const packet: number[] = [];
  const acknowledged: number[] = [];
  for (let i = 0; i < samples; i += 1) {
    const opens = i % 2 === 0;
    await sleep(40 + Math.random() * 40);
    const at = monotonicMicros();
    await (opens ? open() : close());
    acknowledged.push((monotonicMicros() - at) / 1_000);
    packet.push((await clock.until(opens, at) - at) / 1_000);
  }
  return { packet: summarize(packet), acknowledged: summarize(acknowledged) };
}

/** Chain → the lines that fill it. */
function chainsOf(saved: string): Map<string, string[]> {
  const chains = new Map<string, string[]>();
  for (const line of saved.split('\n')) {
    if (line.startsWith(':')) chains.set(line.slice(1, line.indexOf(' ')), []);
    else if (line.startsWith('-A ')) chains.get(line.split(' ', 2)[1] ?? '')?.push(line);
  }
  return chains;
}

const transaction = (lines: readonly string[]): string => `*filter\n${lines.join('\n')}\nCOMMIT\n`;
const refill = (chain: string, lines: readonly string[]): string[] => [`:${chain} - [0:0]`, ...lines];

export async function measureFloor(stage: BenchStage, samples: number): Promise<Readonly<Record<FloorName, Floor>>> {
  const { node, options, store, agent } = stage;
  const env = { XTABLES_LOCKFILE: node.netns.lockFile };
  const save = async (): Promise<Map<string, string[]>> => chainsOf((await node.netns.run(`iptables-${options.backend}-save`, ['-t', 'filter'], { env })).stdout);

  await store.put(cidrPolicy(false));
  await store.put(fresh);
  await using freshClock = await stage.clock('fresh', ports.edit);
  await freshClock.until(true, monotonicMicros());
  const withPod = await save();
  await agent.stop();

  // Two chains and what leads to them, put in and taken out again.
  const interfaceName = workloadInterfaceName('cali', { namespace: 'shop', name: 'fresh' });
  const own = [`cali-tw-${interfaceName}`, `cali-fw-${interfaceName}`];
  const leading = [...withPod.values()].flat().filter((line) => own.some((chain) => line.endsWith(` ${chain}`)));
  const addPod = transaction([...own.flatMap((chain) => refill(chain, withPod.get(chain) ?? [])), ...leading.map((line) => line.replace('-A', '-I'))]);
  const removePod = transaction(leading.map((line) => line.replace('-A', '-D')));
  await node.netns.run(`iptables-${options.backend}-restore`, ['--noflush'], { input: removePod, env });

  // The policy's chain as it is, which lets an address in that nobody has, and with the client's.
  const closedAddress = '10.65.1.99';
  const edited = [...withPod].find(([, lines]) => lines.some((line) => line.includes(closedAddress)));
  if (edited === undefined) throw new Error('no chain of the agent names the address of the policy');
  const [chain, closedLines] = edited;
  const openLines = closedLines.map((line) => line.replace(closedAddress, CLIENT_ADDRESS));

  const runner = node.netns.runner();
  await using webClock = await stage.clock('web', ports.edit);
  await using setClock = await stage.clock('web', ports.set);
  const set = [...withPod.values()].flat().find((line) => line.includes(`dports ${ports.set}`) || line.includes(`dport ${ports.set}`))?.match(/--match-set (\S+)/)?.[1];
  if (set === undefined) throw new Error('no rule of the agent names the set of the policy');

  const measured = async (coprocess: boolean): Promise<Record<FloorName, Floor['process']>> => {
    const rules = await openRules({ runner, coprocess, backend: options.backend, family: 4, lockFile: node.netns.lockFile });
    const sets = await openSets({ runner, coprocess });
    const write = (lines: readonly string[]) => () => rules.restore(transaction(lines));
    const floors = {
      policy: await swing({ clock: webClock, open: write(refill(chain, openLines)), close: write(refill(chain, closedLines)) }, samples),
      pod: await swing({ clock: freshClock, open: () => rules.restore(addPod), close: () => rules.restore(removePod) }, samples),
      member: await swing({ clock: setClock, open: () => sets.run([`add ${set} ${CLIENT_ADDRESS} -exist`]), close: () => sets.run([`del ${set} ${CLIENT_ADDRESS} -exist`]) }, samples),
    };
    await rules.close();
    await sets.close();
    return floors;
  };
  const coprocess = await measured(true);
  const processes = await measured(false);
  const both = (name: FloorName): Floor => ({ coprocess: coprocess[name], process: processes[name] });
  return { pod: both('pod'), policy: both('policy'), member: both('member') };
}
