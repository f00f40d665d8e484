// A piece of a cluster out of network namespaces: nodes, pods on veths as Calico's CNI plugin makes them (a /32 each, the default
// route to 169.254.1.1, the node's end named cali…), and links between nodes. Everything that would need ARP is written down as a
// permanent neighbour, so that the first packet is as fast as the last.
//
//   node "a" (10.65.0.0/24, 172.31.0.1) ──uplink── node "b" (10.65.1.0/24, 172.31.0.2)
//    │ cali1…   │ cali2…                            │ cali3…
//    pod        pod                                 pod

import { createHash } from 'node:crypto';
import { Namespace } from './namespace.ts';
import { Probe } from './probe.ts';

const HOST_MAC = 'ee:ee:ee:ee:ee:ee';
/** The link-local address that the node's end has by its MAC. */
const HOST_LINK_LOCAL = 'fe80::ecee:eeff:feee:eeee';
const GATEWAY = '169.254.1.1';

export interface PodOptions {
  readonly namespace: string;
  readonly name: string;
  /** IPv4 or IPv6, without a prefix. */
  readonly addresses: readonly string[];
  /** Default: as Calico names it. */
  readonly interfaceName?: string;
}

export interface Pod extends PodOptions {
  readonly node: Node;
  readonly netns: Namespace;
  readonly interfaceName: string;
  /** Speaks and listens inside of the pod. */
  readonly probe: Probe;
  remove(): Promise<void>;
}

export interface NodeOptions {
  readonly name: string;
  /** Its address towards the other nodes, "172.31.0.1"; needed for link(). */
  readonly address?: string;
  /** The pods' addresses lie in these; needed for link(). */
  readonly podCidrs?: readonly string[];
}

/** "cali" + the first 11 hex digits of sha1("namespace.pod"), as Calico's CNI plugin for Kubernetes names a pod's interface. */
export function caliInterface(namespace: string, pod: string, prefix = 'cali'): string {
  return prefix + createHash('sha1').update(`${namespace}.${pod}`).digest('hex').slice(0, 11);
}

export class Node {
  readonly name: string;
  readonly address: string | undefined;
  readonly podCidrs: readonly string[];
  readonly netns: Namespace;
  /** Speaks and listens on the node itself. */
  readonly probe: Probe;
  readonly pods = new Set<Pod>();
  #macs = 0;

  private constructor(options: NodeOptions, netns: Namespace, probe: Probe) {
    this.name = options.name;
    this.address = options.address;
    this.podCidrs = options.podCidrs ?? [];
    this.netns = netns;
    this.probe = probe;
  }

  static async create(options: NodeOptions): Promise<Node> {
    const netns = await Namespace.create(options.name);
    await netns.sysctl({
      'net/ipv4/ip_forward': 1,
      'net/ipv6/conf/all/forwarding': 1,
      // What a pod may claim as its source is for the rules to judge, not for the routing table.
      'net/ipv4/conf/all/rp_filter': 0,
      'net/ipv4/conf/default/rp_filter': 0,
    });
    return new Node(options, netns, await Probe.start(netns));
  }

  async addPod(options: PodOptions): Promise<Pod> {
    const interfaceName = options.interfaceName ?? caliInterface(options.namespace, options.name);
    const netns = await Namespace.create(options.name.slice(0, 40));
    this.#macs += 1;
    const mac = `0a:58:00:00:${hex(this.#macs >> 8)}:${hex(this.#macs & 255)}`;
    const outside = [
      `link add ${interfaceName} address ${HOST_MAC} type veth peer name eth0 address ${mac} netns ${netns.name}`,
      `link set ${interfaceName} up`,
    ];
    const inside = ['link set eth0 up'];
    const routes: string[] = [];
    for (const address of options.addresses) {
      const ipv6 = address.includes(':');
      const gateway = ipv6 ? HOST_LINK_LOCAL : GATEWAY;
      inside.push(`addr add ${address}/${ipv6 ? 128 : 32} dev eth0${ipv6 ? ' nodad' : ''}`);
      if (!ipv6) inside.push(`route add ${gateway} dev eth0 scope link`);
      inside.push(`neigh replace ${gateway} lladdr ${HOST_MAC} dev eth0 nud permanent`);
      inside.push(`route add default via ${gateway} dev eth0`);
      routes.push(ipv6 ? `route add ${address}/128 dev ${interfaceName}` : `route add ${address}/32 dev ${interfaceName} scope link`);
      routes.push(`neigh replace ${address} lladdr ${mac} dev ${interfaceName} nud permanent`);
    }
    await this.netns.batch(outside);
    await netns.batch(inside);
    await this.netns.batch(routes);
    const probe = await Probe.start(netns);
    const pod: Pod = {
      ...options, interfaceName, node: this, netns, probe,
      remove: async () => {
        this.pods.delete(pod);
        await probe.close();
        await this.netns.batch([`link del ${interfaceName}`]);
        await netns.remove();
      },
    };
    this.pods.add(pod);
    return pod;
  }

  async remove(): Promise<void> {
    await Promise.all([...this.pods].map(async (pod) => {
      await pod.probe.close();
      await pod.netns.remove();
    }));
    this.pods.clear();
    await this.probe.close();
    await this.netns.remove();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.remove();
  }
}

/** Connects two nodes by a veth and routes each one's pods through it. */
export async function link(one: Node, other: Node): Promise<void> {
  if (one.address === undefined || other.address === undefined) throw new Error('nodes that are linked need an address');
  const names = { [one.name]: `to-${other.name}`.slice(0, 15), [other.name]: `to-${one.name}`.slice(0, 15) };
  await one.netns.batch([`link add ${names[one.name]} type veth peer name ${names[other.name]} netns ${other.netns.name}`]);
  for (const [here, there] of [[one, other], [other, one]] as const) {
    await here.netns.batch([
      `addr add ${here.address}/32 dev ${names[here.name]}`,
      `link set ${names[here.name]} up`,
      `route add ${there.address}/32 dev ${names[here.name]} src ${here.address}`,
    ]);
  }
  for (const [here, there] of [[one, other], [other, one]] as const) {
    const cidrs = there.podCidrs.filter((cidr) => !cidr.includes(':'));
    await here.netns.batch(cidrs.map((cidr) => `route add ${cidr} via ${there.address} dev ${names[here.name]}`));
  }
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
