// How long a change takes until packets are judged by it: the whole agent, bundled, between network namespaces, with real packets.
//
//   node bench/latency.ts [--source directory,kubernetes] [--backend nft,legacy] [--foreign 0,1000,10000] [--load quiet,busy]
//                         [--change pod,cidr,port,member] [--samples 40] [--interval 250] [--json FILE]
//
// For each: event (the rename of a file; a bare watcher of the API server) → first packet with the new verdict for good, and event
// received by the agent → acknowledged by the kernel, as p50 / p99 / max in ms; the CPU of agent and children and the forks for one
// change; and the floor: the same change by the bare tool, as a coprocess and as a process. `busy`: 200 other changes a second.
// Targets: docs/benchmarks.md. Timings are never asserted. Needs root, and `npm run build` first.

import { writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { WireObject } from '../src/model/verdict.ts';
import { BenchStage } from './harness/bench-stage.ts';
import type { Backend, SourceName } from './harness/bench-stage.ts';
import { Churn } from './harness/churn.ts';
import type { FloorName } from './harness/floor.ts';
import { measureFloor } from './harness/floor.ts';
import { cidrPolicy, fresh, isFront, portPolicy, ports, witnesses } from './harness/objects.ts';
import type { PacketClock } from './harness/packet-clock.ts';
import { cpuOf } from './harness/process-costs.ts';
import { figure, figures, summarize, table } from './harness/statistics.ts';
import type { Summary } from './harness/statistics.ts';
import type { Store } from './harness/store.ts';

type Change = 'pod' | 'cidr' | 'port' | 'member';

const CHURN_PER_SECOND = 200;
const describe: Readonly<Record<Change, string>> = {
  pod: 'new local pod', cidr: 'policy edit, CIDR', port: 'policy edit, port', member: 'remote label flip, one set member',
};

interface Row {
  readonly source: SourceName;
  readonly backend: Backend;
  readonly foreign: number;
  readonly load: 'quiet' | 'busy';
  readonly change: Change;
  /** Event → first packet, ms; `opens`: that lets in more, `closes`: less. */
  readonly packet: Summary;
  readonly opens: Summary;
  readonly closes: Summary;
  /** Event received → kernel acknowledged, ms. Under load those of all changes. */
  readonly acknowledged: Summary;
  readonly cpuMsPerChange: number;
  readonly forksPerChange: number;
  /** From the last of the other changes to the last verdict being right; under load only. */
  readonly drainedMs?: number;
  readonly packetIntervalMs: number;
  readonly floor: Partial<Record<'coprocess' | 'process', { readonly packet: Summary; readonly acknowledged: Summary }>>;
}

const { values: flags } = parseArgs({
  options: {
    source: { type: 'string', default: 'directory' },
    backend: { type: 'string', default: 'nft,legacy' },
    foreign: { type: 'string', default: '0,1000,10000' },
    load: { type: 'string', default: 'quiet,busy' },
    change: { type: 'string', default: 'pod,cidr,port,member' },
    samples: { type: 'string', default: '40' },
    interval: { type: 'string', default: '250' },
    json: { type: 'string' },
  },
});

function chosen<T extends string>(flag: string, known: readonly T[]): T[] {
  return flag.split(',').map((word) => {
    const found = known.find((each) => each === word);
    if (found === undefined) throw new Error(`"${word}" is none of ${known.join(', ')}`);
    return found;
  });
}

function makeChange(store: Store, change: Change, open: boolean): Promise<number> {
  const put = (object: WireObject): Promise<number> => store.put(object);
  switch (change) {
    case 'pod':
      return open ? put(fresh) : store.remove(fresh);
    case 'cidr':
      return put(cidrPolicy(open));
    case 'port':
      return put(portPolicy(open));
    case 'member':
      return put(isFront(open));
  }
}

const clockPort: Readonly<Record<Change, number>> = { pod: ports.edit, cidr: ports.edit, port: ports.port, member: ports.set };

async function measure(stage: BenchStage, load: 'quiet' | 'busy', change: Change, samples: number): Promise<Omit<Row, 'floor'>> {
  const { store, agent, forks, options } = stage;
  await using clock: PacketClock = await stage.clock(change === 'pod' ? 'fresh' : 'web', clockPort[change]);
  const churn = load === 'busy' ? await Churn.start(store, CHURN_PER_SECOND) : undefined;
  const lags: Record<'opens' | 'closes', number[]> = { opens: [], closes: [] };
  // The first pair of changes is the one that warms up; its figures are not counted.
  const warmUp = 2;
  let line = 0;
  let cpu = 0;
  let forked = 0;
  let churned = 0;
  for (let i = 0; i < samples + warmUp; i += 1) {
    if (i === warmUp) [line, cpu, forked, churned] = [agent.log.length, cpuOf(agent.pid), forks.count, churn?.made ?? 0];
    const open = i % 2 === 0;
    // Far enough apart that what the one before leaves behind has been tidied, and at no fixed phase to any timer.
    await sleep(150 + Math.random() * 150);
    const at = await makeChange(store, change, open);
    const judged = await clock.until(open, at, { limitMs: 20_000 });
    if (i >= warmUp) lags[open ? 'opens' : 'closes'].push((judged - at) / 1_000);
  }
  const changes = samples + (churn?.made ?? 0) - churned;
  const cpuMsPerChange = (cpuOf(agent.pid) - cpu) / changes;
  const forksPerChange = (forks.count - forked) / changes;
  let drainedMs: number | undefined;
  if (churn !== undefined) {
    await churn.stop();
    // What comes last is seen last: when it is right, everything is.
    const at = await makeChange(store, change, true);
    drainedMs = (await clock.until(true, at) - at) / 1_000;
    await clock.until(false, await makeChange(store, change, false));
  }
  await sleep(100);
  return {
    source: options.source, backend: options.backend, foreign: options.foreign, load, change,
    packet: summarize([...lags.opens, ...lags.closes]),
    opens: summarize(lags.opens),
    closes: summarize(lags.closes),
    acknowledged: summarize(stage.acknowledged(line)),
    cpuMsPerChange, forksPerChange,
    ...(drainedMs === undefined ? {} : { drainedMs }),
    packetIntervalMs: await clock.resolution(),
  };
}

const floorOf: Readonly<Record<Change, FloorName>> = { pod: 'pod', cidr: 'policy', port: 'policy', member: 'member' };

async function measureStage(source: SourceName, backend: Backend, foreign: number, onRow: (row: Row) => void): Promise<void> {
  const samples = Number(flags.samples);
  await using stage = await BenchStage.build({ backend, source, foreign, objects: witnesses(), intervalMicros: Number(flags.interval) });
  await stage.readyAgent();
  const rows: Omit<Row, 'floor'>[] = [];
  for (const load of chosen(flags.load, ['quiet', 'busy'] as const)) {
    for (const change of chosen(flags.change, ['pod', 'cidr', 'port', 'member'] as const)) rows.push(await measure(stage, load, change, samples));
  }
  const floors = await measureFloor(stage, samples);
  for (const row of rows) onRow({ ...row, floor: floors[floorOf[row.change]] });
}

function print(rows: readonly Row[]): void {
  const head = ['p50 / p99 / max, ms', 'event → packet', 'received → acknowledged', 'CPU, ms', 'forks', 'drained', 'bare coprocess → packet', 'bare process → packet'];
  const lines = rows.map((row) => [
    `${describe[row.change]}; ${row.source}, ${row.backend}, ${row.foreign} foreign, ${row.load}`,
    figures(row.packet), figures(row.acknowledged), figure(row.cpuMsPerChange), figure(row.forksPerChange), figure(row.drainedMs),
    ...(['coprocess', 'process'] as const).map((way) => {
      const floor = row.floor[way];
      return floor === undefined ? '-' : figures(floor.packet);
    }),
  ]);
  process.stdout.write(`${table([head, ...lines])}\n`);
}

const rows: Row[] = [];
for (const source of chosen(flags.source, ['directory', 'kubernetes'] as const)) {
  for (const backend of chosen(flags.backend, ['nft', 'legacy'] as const)) {
    for (const foreign of flags.foreign.split(',').map(Number)) {
      process.stderr.write(`${source}, ${backend}, ${foreign} foreign rules\n`);
      await measureStage(source, backend, foreign, (row) => rows.push(row));
    }
  }
}
const interval = Math.max(...rows.map((row) => row.packetIntervalMs));
print(rows);
process.stdout.write(`\nA packet every ${figure(interval)} ms: a verdict is seen that much late at most. Kernel ${release()}, ${cpus().length} cores. Forks are started a millisecond late here.\n`);
if (flags.json !== undefined) {
  writeFileSync(flags.json, `${JSON.stringify({ benchmark: 'latency', at: new Date().toISOString(), kernel: release(), cores: cpus().length, node: process.version, rows }, undefined, 2)}\n`);
}
process.exit(0);
