// A node with pods out of network namespaces, their objects in a folder of manifests, and agents to be started on it: the set-up
// of the tests of the whole agent.
//
//   await using stage = await Stage.build({ backend: 'nft', pods: { web: {}, visitor: { namespace: 'guest' } } });
//   const agent = await stage.readyAgent();
//   await stage.expect({ 'visitor > web': 'passes', 'web > node': 'drops' });
//
// A pod's name is its label "role" as well. Every pod answers on TCP 8080 and UDP 5353, the node too; "node" stands for the node.

import { removeScratch, makeScratch } from '../../cluster/harness/scratch.ts';
import { AgentProcess } from './agent-process.ts';
import { Manifests } from './manifests.ts';
import { NODE_NAME, namespaceObject, podObject } from './objects.ts';
import type { WireObject } from '../../../src/model/verdict.ts';
import { eventually } from './eventually.ts';
import { PacketStream, probe } from './probe.ts';
import type { Attempt, Probe, Verdict } from './probe.ts';
import { Node } from './topology.ts';
import type { Pod } from './topology.ts';

export type Backend = 'nft' | 'legacy';
export const backends: readonly Backend[] = ['nft', 'legacy'];
export const NODE_ADDRESS = '172.31.0.1';
export const ports = { tcp: 8080, udp: 5353 } as const;
const FIRST_STREAM_PORT = 20_000;

export interface StagePod {
  /** Default "shop". */
  readonly namespace?: string;
  /** Beside role=NAME. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Beside the one that it is given. */
  readonly furtherAddresses?: readonly string[];
}

export interface StageOptions {
  readonly backend: Backend;
  readonly pods: Readonly<Record<string, StagePod>>;
}

/** "passes": TCP and UDP. "drops": neither. */
export type Expectation = 'passes' | 'drops';

export class Stage implements AsyncDisposable {
  readonly backend: Backend;
  readonly node: Node;
  readonly manifests = new Manifests();
  /** Of all its agents. */
  readonly runDirectory = makeScratch();
  readonly #pods = new Map<string, { readonly pod: Pod; readonly object: WireObject }>();
  readonly #agents: AgentProcess[] = [];
  #addresses = 0;
  #streams = 0;

  private constructor(backend: Backend, node: Node) {
    this.backend = backend;
    this.node = node;
  }

  static async build({ backend, pods }: StageOptions): Promise<Stage> {
    const stage = new Stage(backend, await Node.create({ name: `node-${backend}` }));
    try {
      await stage.node.netns.batch([`addr add ${NODE_ADDRESS}/32 dev lo`]);
      await Promise.all([listen(stage.node.probe), ...Object.entries(pods).map(([name, pod]) => stage.addPod(name, pod))]);
      return stage;
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  /** The pod and its manifest; its Namespace's as well. */
  async addPod(name: string, pod: StagePod = {}): Promise<void> {
    const { namespace = 'shop', labels = {}, furtherAddresses = [] } = pod;
    this.#addresses += 1;
    const addresses = [`10.70.0.${10 + this.#addresses}`, ...furtherAddresses];
    const object = podObject({ namespace, name, addresses, labels: { role: name, ...labels } });
    this.manifests.put(namespaceObject(namespace, { team: namespace }), object);
    const made = await this.node.addPod({ namespace, name, addresses });
    this.#pods.set(name, { pod: made, object });
    await listen(made.probe);
  }

  pod(name: string): Pod {
    return this.#get(name).pod;
  }

  /** The manifest of a pod. */
  object(name: string): WireObject {
    return this.#get(name).object;
  }

  address(name: string): string {
    return name === 'node' ? NODE_ADDRESS : (this.pod(name).addresses[0] ?? '');
  }

  probe(name: string): Probe {
    return name === 'node' ? this.node.probe : this.pod(name).probe;
  }

  /** An agent of the node that reads the folder. */
  startAgent(env: Readonly<Record<string, string>> = {}): AgentProcess {
    const agent = AgentProcess.start({
      netns: this.node.netns,
      nodeName: NODE_NAME,
      runDirectory: this.runDirectory,
      env: { DATASTORE_TYPE: 'directory', CARACAL_PATH: this.manifests.path, FELIX_IPTABLESBACKEND: this.backend, ...env },
    });
    this.#agents.push(agent);
    return agent;
  }

  async readyAgent(env: Readonly<Record<string, string>> = {}): Promise<AgentProcess> {
    const agent = this.startAgent(env);
    await agent.ready();
    return agent;
  }

  /** One packet or connection to the other's port of that protocol, unless `attempt` says something else. */
  send(from: string, to: string, protocol: 'tcp' | 'udp', attempt: Partial<Attempt> = {}): Promise<Verdict> {
    return probe(this.probe(from), this.probe(to), { protocol, address: this.address(to), port: ports[protocol], timeoutMs: 300, ...attempt });
  }

  /** Fails unless packets are judged so now. Keys are "from > to". */
  async expect(expected: Readonly<Record<string, Expectation>>): Promise<void> {
    const wrong = await this.#differences(expected);
    if (wrong.length > 0) throw new Error(`${wrong.join('; ')}\nagents:\n${this.#agents.map((agent) => agent.tail()).join('\n')}`);
  }

  /** Waits until packets are judged so. */
  async become(expected: Readonly<Record<string, Expectation>>, limitMs = 20_000): Promise<void> {
    let wrong: readonly string[] = [];
    try {
      await eventually('all packets were judged as expected', async () => {
        wrong = await this.#differences(expected);
        return wrong.length === 0;
      }, limitMs);
    } catch (error) {
      throw new Error(`${wrong.join('; ')}\nagents:\n${this.#agents.map((agent) => agent.tail()).join('\n')}`, { cause: error });
    }
  }

  /** A packet every few milliseconds, on a port of its own. */
  stream(pair: string, intervalMs: number): Promise<PacketStream> {
    const [from, to] = ends(pair);
    this.#streams += 1;
    return PacketStream.start(this.probe(from), this.probe(to), { address: this.address(to), port: FIRST_STREAM_PORT + this.#streams, intervalMs });
  }

  /** Runs an iptables program of the stage's backend: tool('-save', ['-t', 'filter']). */
  async iptables(suffix: '' | '-save' | '-restore', args: readonly string[], input = ''): Promise<string> {
    const { netns } = this.node;
    const { stdout } = await netns.run(`iptables-${this.backend}${suffix}`, args, { input, env: { XTABLES_LOCKFILE: netns.lockFile } });
    return stdout;
  }

  async ipset(...args: readonly string[]): Promise<string> {
    return (await this.node.netns.run('ipset', args)).stdout;
  }

  async close(): Promise<void> {
    await Promise.all(this.#agents.map((agent) => agent.kill()));
    await this.node.remove();
    this.manifests.close();
    removeScratch(this.runDirectory);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #get(name: string): { readonly pod: Pod; readonly object: WireObject } {
    const found = this.#pods.get(name);
    if (found === undefined) throw new Error(`there is no pod "${name}" on the stage`);
    return found;
  }

  async #differences(expected: Readonly<Record<string, Expectation>>): Promise<readonly string[]> {
    const found = await Promise.all(
      Object.entries(expected).flatMap(([pair, expectation]) =>
        (['tcp', 'udp'] as const).map(async (protocol) => {
          const [from, to] = ends(pair);
          const { passed, how } = await this.send(from, to, protocol);
          return passed === (expectation === 'passes') ? [] : [`${pair} ${protocol} is ${how}, expected that it ${expectation}`];
        }),
      ),
    );
    return found.flat();
  }
}

async function listen(at: Probe): Promise<void> {
  await at.listen('tcp', ports.tcp);
  await at.listen('udp', ports.udp);
}

function ends(pair: string): readonly [string, string] {
  const [from = '', to = ''] = pair.split(' > ');
  return [from, to];
}
