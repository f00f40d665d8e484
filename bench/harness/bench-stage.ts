// The stage of the benchmarks: a node with two local pods, a second node with one, both out of network namespaces, a store of objects,
// and the bundled agent on the first node.
//
//   client (10.65.1.2, node-b, role=front) ──▶ web   (10.65.0.2, node-a, app=web)     the policies decide
//                                          ──▶ fresh (10.65.0.3, node-a)              its Pod object comes and goes
//
// Everything else in the cluster exists as objects only.

import type { WireObject } from '../../src/model/verdict.ts';
import { makeScratch, removeScratch } from '../../test/cluster/harness/scratch.ts';
import { AgentProcess } from '../../test/kernel/harness/agent-process.ts';
import type { Namespace } from '../../test/kernel/harness/namespace.ts';
import { Node, link } from '../../test/kernel/harness/topology.ts';
import type { Pod } from '../../test/kernel/harness/topology.ts';
import { foreignRules } from './foreign-rules.ts';
import { PacketClock } from './packet-clock.ts';
import { ForkCounter } from './process-costs.ts';
import type { Store } from './store.ts';
import { directoryStore, kubernetesStore } from './store.ts';

export type Backend = 'nft' | 'legacy';
export type SourceName = 'directory' | 'kubernetes';

export interface BenchStageOptions {
  readonly backend: Backend;
  readonly source: SourceName;
  /** Rules of others in the filter table. */
  readonly foreign: number;
  /** In the store before the agent starts; those that change later, one by one. */
  readonly objects: readonly WireObject[];
  /** The same, of those that stay: together. */
  readonly surroundings?: readonly WireObject[];
  readonly intervalMicros: number;
}

export const WEB_ADDRESS = '10.65.0.2';
export const FRESH_ADDRESS = '10.65.0.3';
export const CLIENT_ADDRESS = '10.65.1.2';
const FIRST_PORT = 6_000;

export class BenchStage implements AsyncDisposable {
  readonly options: BenchStageOptions;
  readonly store: Store;
  readonly forks: ForkCounter;
  readonly node: Node;
  readonly #other: Node;
  readonly #pods: Readonly<Record<'web' | 'fresh' | 'client', Pod>>;
  readonly #directory: string;
  #agent: AgentProcess | undefined;
  #ports = FIRST_PORT;

  private constructor(options: BenchStageOptions, parts: { node: Node; other: Node; pods: Readonly<Record<'web' | 'fresh' | 'client', Pod>>; store: Store; directory: string }) {
    this.options = options;
    this.node = parts.node;
    this.#other = parts.other;
    this.#pods = parts.pods;
    this.store = parts.store;
    this.#directory = parts.directory;
    this.forks = new ForkCounter(parts.directory);
  }

  /** Without an agent yet. */
  static async build(options: BenchStageOptions): Promise<BenchStage> {
    await using parts = new AsyncDisposableStack();
    const node = parts.use(await Node.create({ name: 'node-a', address: '172.31.0.1', podCidrs: ['10.65.0.0/24'] }));
    const other = parts.use(await Node.create({ name: 'node-b', address: '172.31.0.2', podCidrs: ['10.65.1.0/24'] }));
    await link(node, other);
    const pods = {
      web: await node.addPod({ namespace: 'shop', name: 'web', addresses: [WEB_ADDRESS] }),
      fresh: await node.addPod({ namespace: 'shop', name: 'fresh', addresses: [FRESH_ADDRESS] }),
      client: await other.addPod({ namespace: 'shop', name: 'client', addresses: [CLIENT_ADDRESS] }),
    };
    if (options.foreign > 0) {
      await node.netns.run(`iptables-${options.backend}-restore`, ['--noflush'], { input: foreignRules(options.foreign), env: { XTABLES_LOCKFILE: node.netns.lockFile } });
    }
    const store = options.source === 'directory' ? directoryStore() : await kubernetesStore(node.netns);
    parts.defer(() => store.close());
    if (options.surroundings !== undefined) await store.fill(options.surroundings);
    for (const object of options.objects) await store.put(object);
    const directory = makeScratch();
    parts.defer(() => removeScratch(directory));
    const stage = new BenchStage(options, { node, other, pods, store, directory });
    parts.move();
    return stage;
  }

  get clientNamespace(): Namespace {
    return this.#pods.client.netns;
  }

  get agent(): AgentProcess {
    if (this.#agent === undefined) throw new Error('no agent has been started');
    return this.#agent;
  }

  /** `countForks` makes each fork a millisecond slower. */
  startAgent({ countForks = false, env = {} }: { readonly countForks?: boolean; readonly env?: Readonly<Record<string, string>> } = {}): AgentProcess {
    this.#agent = AgentProcess.start({
      netns: this.node.netns,
      nodeName: 'node-a',
      runDirectory: this.#directory,
      env: {
        ...this.store.env,
        FELIX_IPTABLESBACKEND: this.options.backend,
        FELIX_LOGSEVERITYSCREEN: 'DEBUG',
        ...(countForks ? { PATH: this.forks.path } : {}),
        ...env,
      },
    });
    return this.#agent;
  }

  async readyAgent(): Promise<AgentProcess> {
    const agent = this.startAgent({ countForks: true });
    await agent.ready(60_000);
    return agent;
  }

  /** Packets from the client to one of the local pods, on a port of their own unless it is given. */
  clock(to: 'web' | 'fresh', port?: number): Promise<PacketClock> {
    this.#ports += 1;
    return PacketClock.start({
      from: this.#pods.client.netns,
      to: this.#pods[to].netns,
      address: to === 'web' ? WEB_ADDRESS : FRESH_ADDRESS,
      port: port ?? this.#ports,
      intervalMicros: this.options.intervalMicros,
    });
  }

  /** Milliseconds from receipt to acknowledgement, of the changes applied since the log had that many lines. */
  acknowledged(sinceLine: number): number[] {
    return this.agent.log.slice(sinceLine).flatMap((line) => (typeof line['milliseconds'] === 'number' ? [line['milliseconds']] : []));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent?.kill();
    await this.#other.remove();
    await this.node.remove();
    await this.store.close();
    removeScratch(this.#directory);
  }
}
