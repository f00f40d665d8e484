// What the kernel's own tools cost for one small change, from this program to the acknowledgement: the floor under every latency of
// the agent. In a network namespace of its own; foreign rules are as kube-proxy writes them, in chains of ten.
//
//   node bench/kernel-floor.ts            a table: p50 / p99 / max, ms
//   node bench/kernel-floor.ts --json     one JSON document
//
// Each case is run with the coprocess and with a process per change, on both backends, quiet: a pause between two changes lets
// the kernel finish what the one before has left (rules that were removed are destroyed after a grace period of 16 to 19 ms, and the
// next transaction of the nft backend would wait for it). "back to back" is without that pause.

import { setTimeout as sleep } from 'node:timers/promises';
import type { SetTool } from '../src/dataplane/kernel.ts';
import type { Backend } from '../src/dataplane/tools.ts';
import { openRules, openSets, toolName } from '../src/dataplane/tools.ts';
import { Namespace } from '../test/kernel/harness/namespace.ts';
import type { Summary } from './harness/statistics.ts';
import { figures, summarize, table } from './harness/statistics.ts';

interface Measurement extends Summary {
  readonly backend: Backend | 'ipset';
  readonly mode: 'coprocess' | 'process';
  readonly foreignRules: number;
  readonly change: string;
}

type Rules = Awaited<ReturnType<typeof openRules>>;

const json = process.argv.includes('--json');
const SAMPLES = 100;
const GRACE_MS = 25;
const measurements: Measurement[] = [];

for (const foreignRules of [0, 1_000, 10_000]) {
  for (const backend of ['nft', 'legacy'] as const) {
    await using netns = await Namespace.create('floor');
    await addForeignRules(netns, backend, foreignRules);
    for (const coprocess of [true, false]) {
      const rules = await openRules({ runner: netns.runner(), backend, family: 4, coprocess });
      await measureRules(rules, (change, summary) => measurements.push({ backend, mode: modeOf(coprocess), foreignRules, change, ...summary }));
      await rules.close();
    }
  }
}
for (const coprocess of [true, false]) {
  await using netns = await Namespace.create('floor');
  const sets = await openSets({ runner: netns.runner(), coprocess });
  await measureSets(sets, (change, summary) => measurements.push({ backend: 'ipset', mode: modeOf(coprocess), foreignRules: 0, change, ...summary }));
  await sets.close();
}

if (json) {
  process.stdout.write(`${JSON.stringify({ benchmark: 'kernel-floor', samples: SAMPLES, unit: 'ms', measurements })}\n`);
} else {
  process.stdout.write('p50 / p99 / max, ms\n');
  const rows = new Map<string, string[]>();
  for (const measurement of measurements) {
    const { backend, foreignRules, change } = measurement;
    const row = [backend, backend === 'ipset' ? '' : String(foreignRules), change].join('\0');
    rows.set(row, [...rows.get(row) ?? row.split('\0'), figures(measurement)]);
  }
  process.stdout.write(`${table([['tool', 'foreign rules', 'change', 'coprocess', 'process per change'], ...rows.values()])}\n`);
}

async function measureRules(rules: Rules, report: (change: string, summary: Summary) => void): Promise<void> {
  await rules.restore(`*filter\n:cali-to-wl-dispatch - [0:0]\n:cali-po-a - [0:0]\nCOMMIT\n`);
  report('append a rule to a chain', await quietly((index) => rules.restore(`*filter\n-A cali-po-a -p tcp -m tcp --dport ${index + 1} -j ACCEPT\nCOMMIT\n`)));
  report('replace a chain of 2 rules', await quietly((index) => rules.restore(chain('cali-pi-a', 2, index))));
  report('same, back to back', await timed(SAMPLES, 0, (index) => rules.restore(chain('cali-pi-a', 2, index))));
  report('add a pod (2 chains of 8, dispatch)', await quietly((index) => rules.restore(pod(index))));
  if (rules.saveChains !== undefined) report('read one chain', await quietly(async () => rules.saveChains?.('filter', ['cali-pi-a'])));
  report('read the table', await timed(20, GRACE_MS, () => rules.save('filter')));
}

async function measureSets(sets: SetTool, report: (change: string, summary: Summary) => void): Promise<void> {
  await sets.run(['create cali40s hash:net family inet maxelem 100000']);
  report('add a member', await quietly((index) => sets.run([`add cali40s 10.0.0.${index}`])));
  report('same, back to back', await timed(SAMPLES, 0, (index) => sets.run([`del cali40s 10.0.0.${index}`])));
  report('create and destroy a set', await quietly(async () => sets.run(['create cali40t hash:net family inet', 'destroy cali40t'])));
  report('add 100 members', await quietly((index) => sets.run(Array.from({ length: 100 }, (_, member) => `add cali40s 10.1.${index}.${member}`))));
  report('add 10,000 members', await timed(5, GRACE_MS, (index) => sets.run(Array.from({ length: 10_000 }, (_, member) => `add cali40s 10.${index + 10}.${member >> 8}.${member & 255}`))));
  await sets.run(Array.from({ length: 500 }, (_, index) => `create cali40x${index} hash:net family inet`));
  report('headers of 500 sets', await timed(20, GRACE_MS, () => sets.headers()));
}

function quietly(change: (index: number) => Promise<unknown>): Promise<Summary> {
  return timed(SAMPLES, GRACE_MS, change);
}

async function timed(samples: number, pauseMs: number, change: (index: number) => Promise<unknown>): Promise<Summary> {
  const milliseconds: number[] = [];
  for (let index = 0; index < samples; index += 1) {
    if (pauseMs > 0) await sleep(pauseMs);
    const start = performance.now();
    await change(index);
    milliseconds.push(performance.now() - start);
  }
  return summarize(milliseconds);
}

function chain(name: string, length: number, index: number): string {
  return `*filter\n:${name} - [0:0]\n${rulesOf(name, length, index)}COMMIT\n`;
}

function pod(index: number): string {
  const name = index.toString(16).padStart(11, '0');
  return `*filter\n:cali-tw-cali${name} - [0:0]\n:cali-fw-cali${name} - [0:0]\n${rulesOf(`cali-tw-cali${name}`, 8, index)}${rulesOf(`cali-fw-cali${name}`, 8, index)}` +
    `-I cali-to-wl-dispatch 1 -o cali${name} -m comment --comment "cali:${name}" -g cali-tw-cali${name}\nCOMMIT\n`;
}

function rulesOf(name: string, length: number, index: number): string {
  return Array.from({ length }, (_, rule) => `-A ${name} -m comment --comment "cali:${index}x${rule}" -s 10.${index & 255}.${rule}.0/24 -j MARK --set-xmark 0x10000/0x10000\n`).join('');
}

async function addForeignRules(netns: Namespace, backend: Backend, count: number): Promise<void> {
  if (count === 0) return;
  const chains = Array.from({ length: Math.ceil(count / 10) }, (_, index) => `:KUBE-SEP-${index} - [0:0]\n`);
  const rules = Array.from({ length: count }, (_, index) =>
    `-A KUBE-SEP-${Math.floor(index / 10)} -s 10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}/32 -m comment --comment "default/service-${index}" -j RETURN\n`);
  await netns.run(toolName(backend, 4, 'restore'), ['--noflush'], {
    input: `*filter\n${chains.join('')}${rules.join('')}COMMIT\n`, env: { XTABLES_LOCKFILE: netns.lockFile },
  });
}

function modeOf(coprocess: boolean): Measurement['mode'] {
  return coprocess ? 'coprocess' : 'process';
}
