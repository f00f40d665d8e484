// Resident memory of the bundled agent with its children: idle, and with 10,000 pods that come from a real API server.
//
//   node bench/memory.ts [--pods 10000] [--json FILE]
//
// RSS counts shared pages in each process, PSS divides them. The peak is the agent's own (the children's never change). Needs root, and
// `npm run build` first.

import { writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { BenchStage } from './harness/bench-stage.ts';
import { cluster, witnesses } from './harness/objects.ts';
import { memoryOf, peakOf } from './harness/process-costs.ts';
import { figure, table } from './harness/statistics.ts';

const { values: flags } = parseArgs({ options: { pods: { type: 'string', default: '10000' }, json: { type: 'string' } } });

interface Measurement {
  readonly what: string;
  readonly agentRssMb: number;
  readonly childrenRssMb: number;
  readonly pssMb: number;
  readonly peakMb: number;
}

async function measure(what: string, pods: number): Promise<Measurement> {
  const surroundings = pods === 0 ? [] : cluster({ pods, local: 60, policies: 500, namespaces: 100 });
  await using stage = await BenchStage.build({ backend: 'nft', source: 'kubernetes', foreign: 0, objects: witnesses(), surroundings, intervalMicros: 250 });
  const agent = stage.startAgent({ env: { FELIX_LOGSEVERITYSCREEN: 'INFO' } });
  await agent.ready(120_000);
  await sleep(15_000);
  const memory = memoryOf(agent.pid);
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const own = memory.filter(({ pid }) => pid === agent.pid);
  const children = memory.filter(({ pid }) => pid !== agent.pid);
  return {
    what,
    agentRssMb: sum(own.map(({ rssMb }) => rssMb)),
    childrenRssMb: sum(children.map(({ rssMb }) => rssMb)),
    pssMb: sum(memory.map(({ pssMb }) => pssMb)),
    peakMb: peakOf(agent.pid),
  };
}

const measurements = [await measure('a handful of pods', 0), await measure(`${flags.pods} pods, 500 policies`, Number(flags.pods))];
process.stdout.write(`${table([
  ['MB, 15 s after the start', 'agent RSS', 'children RSS', 'all PSS', 'agent peak RSS'],
  ...measurements.map(({ what, agentRssMb, childrenRssMb, pssMb, peakMb }) => [what, figure(agentRssMb), figure(childrenRssMb), figure(pssMb), figure(peakMb)]),
])}\n`);
if (flags.json !== undefined) writeFileSync(flags.json, `${JSON.stringify({ benchmark: 'memory', at: new Date().toISOString(), kernel: release(), node: process.version, measurements }, undefined, 2)}\n`);
process.exit(0);
