// `npm run demo`: real packets between pods on a node made of network namespaces, while policies come and go.
//
// In: flags. Out: a reachability matrix after each step, judged against the hand-written grids of scenario.ts, and the milliseconds
// from each change to the first packet with the new verdict; with --json one document on standard output and nothing else. Exit
// status 0 only when every cell is as expected. The host's own tables are not touched, and nothing stays behind.

import { parseArgs } from 'node:util';
import { makeScratch, removeScratch } from '../../test/cluster/harness/scratch.ts';
import { AgentProcess } from '../../test/kernel/harness/agent-process.ts';
import { monotonicMicros } from '../../test/kernel/harness/probe.ts';
import type { DemoCluster } from './cluster.ts';
import { directoryCluster, kubernetesCluster } from './cluster.ts';
import { formatMatrix, judge } from './matrix.ts';
import type { Step } from './scenario.ts';
import { initial, steps } from './scenario.ts';
import { Stage } from './stage.ts';

const HELP = `Usage: npm run demo -- [--datastore directory|kubernetes] [--backend nft|legacy] [--json]

Makes two nodes with seven pods out of network namespaces, starts the agent on one of them, applies policies step by step, and shows
after each step which packets pass. Needs root. Nothing of this machine's own network is touched.

  --datastore directory    the objects are a folder of manifests (default)
  --datastore kubernetes   the objects are in a real API server, which is built first if need be
  --backend nft|legacy     the iptables programs to use (default: found out as in production)
  --json                   one JSON document on standard output instead of the tables
`;

interface StepReport {
  readonly title: string;
  readonly cells: number;
  readonly wrong: number;
  /** From the change to the first packet with the new verdict. */
  readonly latencyMs?: number;
}

const { values: flags } = parseArgs({
  options: {
    datastore: { type: 'string', default: 'directory' },
    backend: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

const say = (text: string): void => {
  if (!flags.json) process.stdout.write(`${text}\n`);
};
const colour = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
const bold = (text: string): string => (colour ? `\u001b[1m${text}\u001b[0m` : text);

/** Ctrl-C and SIGTERM end the step that runs, and then everything is taken down. */
const interrupted = Promise.withResolvers<never>();
interrupted.promise.catch(() => {});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => interrupted.reject(new Error(`stopped by ${signal}`)));
}
const orInterrupted = <T>(work: Promise<T>): Promise<T> => Promise.race([work, interrupted.promise]);

async function change(step: Step, cluster: DemoCluster, stage: Stage): Promise<void> {
  for (const object of step.change.apply ?? []) await cluster.apply(object);
  for (const object of step.change.remove ?? []) await cluster.remove(object);
  if (step.change.wipe === true) await wipe(stage);
}

/** Flushes every chain of the agent in one transaction, as a firewall's reload would. */
async function wipe(stage: Stage): Promise<void> {
  const { netns } = stage.nodes.a;
  const backend = (await netns.run('iptables-nft-save', ['-t', 'filter'])).stdout.includes(':cali-') ? 'nft' : 'legacy';
  const saved = (await netns.run(`iptables-${backend}-save`, ['-t', 'filter'])).stdout;
  const chains = [...saved.matchAll(/^:(cali-\S+)/gm)].map(([, chain]) => `:${chain} - [0:0]`);
  if (chains.length === 0) throw new Error('the agent has no chains to flush');
  const env = { XTABLES_LOCKFILE: netns.lockFile };
  await netns.run(`iptables-${backend}-restore`, ['--noflush', '-w', '10'], { input: `*filter\n${chains.join('\n')}\nCOMMIT\n`, env });
}

/** The change and its latency; a step without a witness is waited for by its matrix alone. */
async function perform(step: Step, cluster: DemoCluster, stage: Stage): Promise<number | undefined> {
  if (step.witness === undefined) {
    await change(step, cluster, stage);
    return undefined;
  }
  const { from, to, becomes } = step.witness;
  const stream = await stage.stream(from, to);
  try {
    const wiped = step.change.wipe === true;
    await stream.until(wiped ? becomes === 'passed' : becomes !== 'passed', monotonicMicros());
    const since = monotonicMicros();
    await change(step, cluster, stage);
    const at = await stream.until(becomes === 'passed', since);
    return Math.max(0, at - since) / 1_000;
  } finally {
    await stream.stop();
  }
}

async function play(cluster: DemoCluster, stage: Stage, agent: AgentProcess): Promise<StepReport[]> {
  const reports: StepReport[] = [];
  for (const [index, step] of steps.entries()) {
    say(`\n${bold(`${index + 1}. ${step.title}`)}`);
    const latencyMs = await perform(step, cluster, stage);
    const matrix = await stage.matrix(step.expected);
    const { cells, wrong } = judge(matrix);
    reports.push({ title: step.title, cells, wrong, ...(latencyMs === undefined ? {} : { latencyMs }) });
    say(formatMatrix(matrix, colour));
    const { witness } = step;
    if (witness !== undefined && latencyMs !== undefined) {
      const what = step.change.wipe === true ? 'repaired' : `${witness.from} to ${witness.to} by UDP ${witness.becomes}`;
      say(`  ${latencyMs.toFixed(1)} ms from the change until ${what}`);
    }
    if (wrong > 0) say(`  ${wrong} of ${cells} cells are not as expected, marked with "!"; the agent's log:\n${agent.tail()}`);
    if (step.change.wipe === true) {
      const line = agent.log.findLast((each) => /undone|repair/i.test(each.msg));
      if (line !== undefined) say(`  the agent says: ${line.msg}`);
    }
  }
  return reports;
}

async function demo(): Promise<number> {
  if (flags.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (flags.datastore !== 'directory' && flags.datastore !== 'kubernetes') throw new Error(`--datastore is directory or kubernetes, not "${flags.datastore}"`);
  if (process.getuid?.() !== 0) throw new Error('network namespaces need root: run this with sudo');
  const started = performance.now();
  const runDirectory = makeScratch();
  let stage: Stage | undefined;
  let cluster: DemoCluster | undefined;
  let agent: AgentProcess | undefined;
  try {
    say('Two nodes and seven pods, each in a network namespace of its own; TCP 8080 and UDP 5353 are sent from each to each.');
    say('T and U: that packet passed. A dot: it did not. Rows send, columns receive; remote is on the second node.');
    const built = await orInterrupted(Stage.build());
    stage = built;
    const objects = flags.datastore === 'directory' ? directoryCluster() : await orInterrupted(kubernetesCluster(built.nodes.a.netns));
    cluster = objects;
    for (const object of initial) await orInterrupted(objects.apply(object));
    const running = AgentProcess.start({
      netns: built.nodes.a.netns,
      nodeName: 'node-a',
      runDirectory,
      env: { ...objects.env, ...(flags.backend === undefined ? {} : { FELIX_IPTABLESBACKEND: flags.backend }) },
    });
    agent = running;
    await orInterrupted(running.ready());
    const reports = await orInterrupted(play(objects, built, running));
    const cells = reports.reduce((sum, report) => sum + report.cells, 0);
    const wrong = reports.reduce((sum, report) => sum + report.wrong, 0);
    const seconds = (performance.now() - started) / 1_000;
    say(`\n${bold(`${cells} cells judged, ${wrong} wrong`)}, ${seconds.toFixed(1)} s`);
    if (flags.json) {
      process.stdout.write(`${JSON.stringify({ datastore: flags.datastore, steps: reports, cells, wrong, latenciesMs: reports.flatMap((report) => report.latencyMs ?? []), seconds }, undefined, 2)}\n`);
    }
    return wrong === 0 ? 0 : 1;
  } finally {
    await agent?.kill();
    await cluster?.close();
    await stage?.remove();
    removeScratch(runDirectory);
  }
}

try {
  process.exitCode = await demo();
} catch (error) {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
// A probe or a server that is still being taken down must not keep the terminal.
process.exit();
