// What the agent costs and how long it takes apart from single changes: cold start, warm restart, repair of what others undo, a hundred
// pods at once, updates that change nothing, and doing nothing.
//
//   node bench/lifecycle.ts [--size S,M] [--backend nft,legacy] [--source directory|kubernetes] [--idle SECONDS] [--json FILE]
//
// S: 300 pods, 30 of them local, 35 policies. M: 5,000, 60, 500, and 2,000 foreign rules. Everything is judged by packets. Targets:
// docs/benchmarks.md. Timings are never asserted. Needs root, and `npm run build` first.

import { writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { WireObject } from '../src/model/verdict.ts';
import { monotonicMicros } from '../test/kernel/harness/probe.ts';
import { BenchStage } from './harness/bench-stage.ts';
import type { Backend, SourceName } from './harness/bench-stage.ts';
import { cidrPolicy, cluster, isFront, ports, sizes, witnesses } from './harness/objects.ts';
import type { ClusterSize } from './harness/objects.ts';
import { PodCrowd } from './harness/pod-crowd.ts';
import { cpuOf, memoryOf, peakOf } from './harness/process-costs.ts';
import { figure, round, table } from './harness/statistics.ts';

type Figures = Record<string, number>;

interface Run {
  readonly size: string;
  readonly backend: Backend;
  readonly source: SourceName;
  readonly figures: Figures;
}

const CROWD = 100;
const IRRELEVANT = 1_000;

const { values: flags } = parseArgs({
  options: {
    size: { type: 'string', default: 'S,M' },
    backend: { type: 'string', default: 'nft,legacy' },
    source: { type: 'string', default: 'kubernetes' },
    idle: { type: 'string', default: '60' },
    json: { type: 'string' },
  },
});

async function linesWritten(stage: BenchStage): Promise<number> {
  const names = ['felix_iptables_lines_executed{ip_version="4",table="filter"}', 'felix_ipset_lines_executed'];
  const values = await Promise.all(names.map((name) => stage.agent.metric(name)));
  return values.reduce<number>((sum, value = 0) => sum + value, 0);
}

/** From the start of the process until a packet is dropped that nothing stopped before, and until it calls itself ready. */
async function coldStart(stage: BenchStage): Promise<Figures> {
  await using clock = await stage.clock('web', ports.edit);
  await clock.until(true, monotonicMicros());
  const at = monotonicMicros();
  const agent = stage.startAgent();
  const dropped = (await clock.until(false, at, { limitMs: 120_000 }) - at) / 1_000;
  const line = await agent.logged('that the kernel is right', ({ msg }) => msg.startsWith('the kernel is as'), 120_000);
  const first = agent.log.at(0);
  const figures = {
    'cold start: packets judged, ms': dropped,
    'cold start: from its first log line to all written, ms': Date.parse(String(line['time'])) - Date.parse(String(first?.['time'])),
    'cold start: CPU, ms': cpuOf(agent.pid),
  };
  await agent.ready();
  await sleep(2_000);
  const memory = memoryOf(agent.pid);
  return {
    ...figures,
    'resident with children, MB': memory.reduce((sum, { rssMb }) => sum + rssMb, 0),
    'proportional with children, MB': memory.reduce((sum, { pssMb }) => sum + pssMb, 0),
    'peak of the agent itself, MB': peakOf(agent.pid),
  };
}

/** Stopped and started again, while one flow is allowed and one is not. */
async function warmRestart(stage: BenchStage): Promise<Figures> {
  await using allowed = await stage.clock('web', ports.edit);
  await using denied = await stage.clock('web', ports.set);
  const at = await stage.store.put(cidrPolicy(true));
  await allowed.until(true, at);
  await stage.agent.stop();
  const before = [await allowed.count(), await denied.count()] as const;
  const forks = stage.forks.count;
  const started = performance.now();
  const agent = stage.startAgent({ countForks: true });
  await agent.logged('that the kernel is right', ({ msg }) => msg.startsWith('the kernel is as'), 120_000);
  const right = performance.now() - started;
  await sleep(1_000);
  const after = [await allowed.count(), await denied.count()] as const;
  const figures = {
    'warm restart: right, ms': right,
    'warm restart: forks': stage.forks.count - forks,
    'warm restart: lines written': await linesWritten(stage),
    'warm restart: allowed packets lost': after[0].missing - before[0].missing,
    'warm restart: denied packets passed': after[1].arrived - before[1].arrived,
  };
  await stage.store.put(cidrPolicy(false));
  await sleep(200);
  return figures;
}

/** How long what others undo stays undone. */
async function repairs(stage: BenchStage): Promise<Figures> {
  const { node, options, store } = stage;
  const env = { XTABLES_LOCKFILE: node.netns.lockFile };
  const iptables = (suffix: string, args: readonly string[], input = ''): Promise<{ stdout: string }> =>
    node.netns.run(`iptables-${options.backend}${suffix}`, args, { env, input });
  await using clock = await stage.clock('web', ports.edit);
  // A monitor of the kernel that ends within its first seconds is started again with a delay.
  await sleep(10_000);
  const repaired = async (undo: () => Promise<unknown>, wrong: boolean): Promise<number> => {
    await sleep(1_500);
    const at = monotonicMicros();
    await undo();
    const broken = await clock.until(wrong, at, { holdMs: 1 });
    return (await clock.until(!wrong, broken, { limitMs: 60_000 }) - broken) / 1_000;
  };
  const { stdout } = await iptables('-save', ['-t', 'filter']);
  const chains = [...stdout.matchAll(/^:(cali-\S+)/gm)].map(([, chain]) => `:${chain} - [0:0]`);
  const jump = /^-A (FORWARD .*cali-FORWARD)$/m.exec(stdout)?.[1] ?? '';
  const flushed = await repaired(() => iptables('-restore', ['--noflush', '-w', '10'], `*filter\n${chains.join('\n')}\nCOMMIT\n`), true);
  const unhooked = await repaired(() => iptables('-restore', ['--noflush', '-w', '10'], `*filter\n-D ${jump}\nCOMMIT\n`), true);

  await using setClock = await stage.clock('web', ports.set);
  await setClock.until(true, await store.put(isFront(true)));
  await sleep(500);
  const set = new RegExp(`match-set (\\S+) src .*dports ${ports.set}`).exec((await iptables('-save', ['-t', 'filter'])).stdout)?.[1] ?? '';
  const removed = monotonicMicros();
  await node.netns.run('ipset', ['flush', set]);
  const gone = await setClock.until(false, removed);
  const member = (await setClock.until(true, gone, { limitMs: 120_000 }) - gone) / 1_000;
  await store.put(isFront(false));
  return { 'all chains flushed: repaired, ms': flushed, 'jump deleted: repaired, ms': unhooked, 'set flushed: repaired, ms': member };
}

async function crowd(stage: BenchStage): Promise<Figures> {
  await using pods = await PodCrowd.create(stage.node, CROWD);
  await sleep(1_000);
  let last = 0;
  const reached = await pods.lastReached(stage.clientNamespace, async () => {
    const seen = await Promise.all(pods.objects.map((object) => stage.store.put(object)));
    last = Math.max(...seen);
  });
  await sleep(500);
  for (const object of pods.objects) await stage.store.remove(object);
  await sleep(1_000);
  return { [`${CROWD} local pods at once: all right after the last event, ms`]: Math.max(0, reached - last) / 1_000 };
}

/** Heartbeats and annotations: nothing that policy uses. */
async function irrelevant(stage: BenchStage, objects: readonly WireObject[]): Promise<Figures> {
  const pods = objects.filter(({ kind }) => kind === 'Pod');
  const cpu = cpuOf(stage.agent.pid);
  for (let i = 0; i < IRRELEVANT; i += 1) {
    const object = pods[i % pods.length];
    if (object !== undefined) await stage.store.touch(object, i);
  }
  await sleep(500);
  return { [`${IRRELEVANT} irrelevant pod updates: CPU, ms`]: cpuOf(stage.agent.pid) - cpu };
}

async function idle(stage: BenchStage, seconds: number): Promise<Figures> {
  await sleep(3_000);
  const [cpu, forks] = [cpuOf(stage.agent.pid), stage.forks.count];
  await sleep(seconds * 1_000);
  return { 'idle: CPU a minute, ms': ((cpuOf(stage.agent.pid) - cpu) / seconds) * 60, 'idle: forks a minute': ((stage.forks.count - forks) / seconds) * 60 };
}

async function measure(name: string, size: ClusterSize, backend: Backend, source: SourceName): Promise<Run> {
  const surroundings = cluster(size);
  await using stage = await BenchStage.build({ backend, source, foreign: size.foreign, objects: witnesses(), surroundings, intervalMicros: 250 });
  const figures: Figures = {
    ...await coldStart(stage),
    ...await warmRestart(stage),
    ...await repairs(stage),
    ...await crowd(stage),
    ...await irrelevant(stage, surroundings),
    ...await idle(stage, Number(flags.idle)),
  };
  return { size: name, backend, source, figures: Object.fromEntries(Object.entries(figures).map(([key, value]) => [key, round(value)])) };
}

const runs: Run[] = [];
for (const name of flags.size.split(',')) {
  if (name !== 'S' && name !== 'M') throw new Error(`--size is S or M, not "${name}"`);
  for (const backend of flags.backend.split(',')) {
    if (backend !== 'nft' && backend !== 'legacy') throw new Error(`--backend is nft or legacy, not "${backend}"`);
    process.stderr.write(`${name}, ${backend}\n`);
    runs.push(await measure(name, sizes[name], backend, flags.source === 'directory' ? 'directory' : 'kubernetes'));
  }
}
const names = Object.keys(runs[0]?.figures ?? {});
process.stdout.write(`${table([['', ...runs.map(({ size, backend }) => `${size}, ${backend}`)], ...names.map((name) => [name, ...runs.map((run) => figure(run.figures[name]))])])}\n`);
if (flags.json !== undefined) {
  writeFileSync(flags.json, `${JSON.stringify({ benchmark: 'lifecycle', at: new Date().toISOString(), kernel: release(), cores: cpus().length, node: process.version, runs }, undefined, 2)}\n`);
}
process.exit(0);
