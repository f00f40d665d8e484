// Many local pods at once, cheaply: each has its interface on the node as Calico makes it, but all live in one namespace. In: a node, a
// sender. Out: for each pod when its first packet got through.

import type { WireObject } from '../../src/model/verdict.ts';
import { readLines } from '../../src/dataplane/line-reader.ts';
import { Namespace } from '../../test/kernel/harness/namespace.ts';
import { caliInterface } from '../../test/kernel/harness/topology.ts';
import type { Node } from '../../test/kernel/harness/topology.ts';
import { within } from '../../test/cluster/harness/wait.ts';
import { pod } from './objects.ts';

const CHILD = new URL('crowd-child.ts', import.meta.url).pathname;
const PORT = 6_900;

export class PodCrowd implements AsyncDisposable {
  readonly objects: readonly WireObject[];
  readonly #node: Node;
  readonly #netns: Namespace;
  readonly #addresses: readonly string[];
  readonly #interfaces: readonly string[];

  private constructor(node: Node, netns: Namespace, objects: readonly WireObject[], addresses: readonly string[], interfaces: readonly string[]) {
    this.#node = node;
    this.#netns = netns;
    this.objects = objects;
    this.#addresses = addresses;
    this.#interfaces = interfaces;
  }

  /** The interfaces, without the objects. */
  static async create(node: Node, size: number): Promise<PodCrowd> {
    const netns = await Namespace.create('crowd');
    await netns.sysctl({ 'net/ipv4/conf/all/rp_filter': 0, 'net/ipv4/conf/default/rp_filter': 0 });
    const names = Array.from({ length: size }, (_, i) => `crowd-${i}`);
    const addresses = names.map((_, i) => `10.65.0.${100 + i}`);
    const interfaces = names.map((name) => caliInterface('shop', name));
    const outside: string[] = [];
    const inside: string[] = [];
    for (const [i, interfaceName] of interfaces.entries()) {
      const mac = `0a:58:01:00:00:${i.toString(16).padStart(2, '0')}`;
      const address = addresses[i] ?? '';
      outside.push(`link add ${interfaceName} type veth peer name e${i} address ${mac} netns ${netns.name}`, `link set ${interfaceName} up`,
        `route add ${address}/32 dev ${interfaceName} scope link`, `neigh replace ${address} lladdr ${mac} dev ${interfaceName} nud permanent`);
      inside.push(`addr add ${address}/32 dev e${i}`, `link set e${i} up`);
    }
    await node.netns.batch(outside);
    await netns.batch(inside);
    const objects = names.map((name, i) => pod({ namespace: 'shop', name, node: 'node-a', address: addresses[i] ?? '', labels: { app: 'crowd' } }));
    return new PodCrowd(node, netns, objects, addresses, interfaces);
  }

  /** Calls `appear`, and resolves with the time (microseconds) at which the last pod got its first packet. */
  async lastReached(from: Namespace, appear: () => Promise<void>): Promise<number> {
    const reached = new Map<number, number>();
    const listening = Promise.withResolvers<void>();
    const complete = Promise.withResolvers<void>();
    const receiver = this.#netns.spawn(process.execPath, [CHILD, 'receive', String(PORT)]);
    readLines(receiver.stdout, (line) => {
      const message = JSON.parse(line) as 'listening' | [number, number];
      if (message === 'listening') return listening.resolve();
      reached.set(...message);
      if (reached.size === this.#addresses.length) complete.resolve();
    });
    await within('the crowd to listen', 10_000, listening.promise);
    const sender = from.spawn(process.execPath, [CHILD, 'send', String(PORT), ...this.#addresses]);
    try {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      if (reached.size > 0) throw new Error('pods without an object are reached');
      await appear();
      await within('all pods of the crowd to be reached', 30_000, complete.promise);
      return Math.max(...reached.values());
    } finally {
      sender.stdin.end();
      receiver.stdin.end();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#node.netns.batch(this.#interfaces.map((name) => `link del ${name}`));
    await this.#netns.remove();
  }
}
