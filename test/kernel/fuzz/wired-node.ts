// A node with wires, for any packet that a world can be asked about: interfaces of any name behind which nothing but a wire is, an
// uplink "eth0" and a second link "flannel.1" to the rest of the world. From world to world interfaces change their names and addresses
// their place; namespaces and wires stay.
//
//   pod 1 ── cali0123… ┐
//   pod 2 ── cali4567… ┤ node ├── eth0 ────── the rest of the world
//   …                  ┘      └── flannel.1 ─┘
//
// What arrives in a pod's or the world's namespace is for it, whatever the address; all that it sends leaves by its interface. So the
// node's rules alone decide. Where a packet leaves the node is decided by the address, and by a detour for the packets that a world
// means otherwise: one address may belong to two pods.

import type { Packet } from '../../../src/model/packet.ts';
import { hookOf } from '../../../src/model/packet.ts';
import { eventually } from '../harness/eventually.ts';
import { Namespace } from '../harness/namespace.ts';
import { Wire } from '../harness/wire.ts';
import { bytesOf } from '../harness/wire-packet.ts';
import { NODE_ADDRESS } from './places.ts';
import type { Places } from './places.ts';

const UPLINK = 'eth0';
const SECOND_LINK = 'flannel.1';
const MAC = '0a:58:0a:41:00:01';
const firstTable = 1_000;
const hostTable = 900;
const uplinkTable = 901;
const secondLinkTable = 902;
const firstRule = 1_000;
/** What is on its way arrives at once, but on a busy machine "at once" may take long. */
const limitMs = 30_000;
/** Tokens are source ports, too: none is a port that a packet of a world goes to, so no rule for a packet meets another's answer. */
const firstToken = 10_000;
const lastToken = 65_000;
/** Fences take turns with these. */
const fenceTokens = 1_000;

/** A packet to be sent. */
export interface Shot {
  readonly packet: Packet;
  readonly token: number;
  /** For an echo of an established connection: the token of its first one. */
  readonly flow?: number;
  /** What must come, and so is waited for: the packet where it goes; an answer to it. Undefined: nobody can say. */
  readonly passes: boolean;
  readonly answered: boolean | undefined;
}

export interface Fate {
  readonly passed: boolean;
  readonly answered: boolean;
  /** It was seen where it should not go. */
  readonly strayed: boolean;
}

interface Pod {
  interfaceName: string;
  readonly wire: Wire;
}

export class WiredNode implements AsyncDisposable {
  readonly namespace: Namespace;
  readonly #wire: Wire;
  readonly #world: Wire;
  readonly #pods: Pod[] = [];
  readonly #routed = new Set<string>();
  #rules = 0;
  #tokens = firstToken;
  readonly #connections = new Set<string>();
  #fences = 0;

  private constructor(namespace: Namespace, wire: Wire, world: Wire) {
    this.namespace = namespace;
    this.#wire = wire;
    this.#world = world;
  }

  static async create(label: string): Promise<WiredNode> {
    const namespace = await Namespace.create(`wired-${label}`);
    await namespace.sysctl({
      'net/ipv4/ip_forward': 1,
      ...permissive,
      // Connections of one world are met again in the next.
      'net/netfilter/nf_conntrack_icmp_timeout': 600,
    });
    const world = await outside('world');
    await namespace.batch([
      ...veth(UPLINK, UPLINK, world),
      ...veth(SECOND_LINK, 'eth1', world),
      `addr add ${NODE_ADDRESS}/32 dev lo`,
      `route add default dev ${UPLINK}`,
      `route add local default dev lo table ${hostTable}`,
      `route add default dev ${UPLINK} table ${uplinkTable}`,
      `route add default dev ${SECOND_LINK} table ${secondLinkTable}`,
    ]);
    await world.batch(['link set eth1 up', ...defaultRoute]);
    const [wire, worldWire] = await Promise.all([Wire.start(namespace), Wire.start(world)]);
    const node = new WiredNode(namespace, wire, worldWire);
    await Promise.all([UPLINK, SECOND_LINK].map((name) => node.#carries(name)));
    return node;
  }

  /** A number for a packet; never the same twice. */
  nextToken(): number {
    this.#tokens += 1;
    if (this.#tokens > lastToken) throw new RangeError('no token is left: fewer packets for one node, please');
    return this.#tokens;
  }

  /**
   * False if there was a packet of this connection before: without ports, all packets between two addresses are one connection, in
   * either direction, in this world and all later ones.
   */
  claimConnection({ sourcePort, protocol, source, destination }: Packet): boolean {
    if (sourcePort !== undefined || protocol === 1) return true;
    const connection = [protocol, ...[source, destination].toSorted()].join();
    return !this.#connections.has(connection) && this.#connections.add(connection).size > 0;
  }

  /** Makes the interfaces that the packets name, and routes for them. */
  async arrange(places: Places, shots: readonly Shot[]): Promise<void> {
    const named = shots.flatMap(({ packet }) => [packet.inInterface, packet.outInterface]).filter((name) => name !== undefined);
    await this.#name([...new Set([...named, ...places.homes.values()])].filter((name) => name !== UPLINK && name !== SECOND_LINK));
    const lines: string[] = [];
    for (const address of this.#routed) if (!places.homes.has(address)) lines.push(`route replace ${address}/32 dev ${UPLINK}`);
    for (const [address, interfaceName] of places.homes) {
      this.#routed.add(address);
      lines.push(`route replace ${address}/32 dev ${interfaceName} scope link`);
    }
    for (let i = 0; i < this.#rules; i += 1) lines.push(`rule del pref ${firstRule + i}`);
    this.#rules = 0;
    for (const { packet } of shots.filter((shot) => places.needsDetour(shot.packet))) {
      lines.push(`rule add pref ${firstRule + this.#rules} sport ${packet.sourcePort} lookup ${this.#tableFor(packet)}`);
      this.#rules += 1;
    }
    await this.namespace.batch(lines);
  }

  /** Sends all, and tells what became of each. Silence is believed when everything that should arrive did, and what was sent later, too. */
  async send(shots: readonly Shot[]): Promise<readonly Fate[]> {
    await Promise.all(shots.map((shot) => this.#shoot(shot)));
    // Not an error yet: it is the caller who says what is wrong with what did not arrive.
    await eventually('everything arrived', () => shots.every((shot) => this.#isComplete(shot)), limitMs).catch(() => {});
    await this.#fence();
    return shots.map((shot) => ({ passed: this.#passed(shot), answered: this.#answered(shot), strayed: this.#strayed(shot) }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const wires = [this.#wire, this.#world, ...this.#pods.map((pod) => pod.wire)];
    await Promise.all(wires.map((wire) => wire.close()));
    await Promise.all(wires.map((wire) => wire.namespace.remove()));
  }

  async #name(names: readonly string[]): Promise<void> {
    const missing = names.filter((name) => !this.#pods.some((pod) => pod.interfaceName === name));
    const free = this.#pods.filter((pod) => !names.includes(pod.interfaceName));
    const renamed = missing.slice(0, free.length);
    const lines: string[] = [];
    for (const [i, name] of renamed.entries()) {
      const pod = free[i] as Pod;
      // Older kernels rename an interface only while it is down.
      lines.push(`link set ${pod.interfaceName} down`, `link set ${pod.interfaceName} name ${name}`, `link set ${name} up`);
      lines.push(`route replace default dev ${name} table ${firstTable + this.#pods.indexOf(pod)}`);
      pod.interfaceName = name;
    }
    const made = await Promise.all(missing.slice(free.length).map(async (name, i) => {
      const pod = await outside(`pod-${this.#pods.length + i}`);
      await this.namespace.batch(veth(name, UPLINK, pod));
      await pod.batch(defaultRoute);
      return { interfaceName: name, wire: await Wire.start(pod) };
    }));
    for (const pod of made) lines.push(`route add default dev ${pod.interfaceName} table ${firstTable + this.#pods.push(pod) - 1}`);
    await this.namespace.batch(lines);
    await Promise.all(missing.map((name) => this.#carries(name)));
  }

  #tableFor(packet: Packet): number {
    if (packet.outInterface === undefined) return hostTable;
    if (packet.outInterface === UPLINK) return uplinkTable;
    return packet.outInterface === SECOND_LINK ? secondLinkTable : firstTable + this.#pods.findIndex((pod) => pod.interfaceName === packet.outInterface);
  }

  async #shoot({ packet, token, flow }: Shot): Promise<void> {
    const bytes = bytesOf(packet, token, flow);
    if (packet.inInterface === undefined) await this.#wire.send(bytes, packet.outInterface ?? 'lo');
    else await this.#behind(packet.inInterface).send(bytes, UPLINK);
  }

  #isComplete(shot: Shot): boolean {
    const isJudged = shot.packet.inInterface === undefined || this.#wire.entered.has(shot.token);
    return isJudged && (!shot.passes || this.#passed(shot)) && (shot.answered !== true || this.#answered(shot));
  }

  #passed({ packet, token }: Shot): boolean {
    return hookOf(packet) === 'INPUT' ? this.#wire.delivered.has(token) : this.#behind(packet.outInterface ?? '').entered.has(token);
  }

  #answered({ packet, token }: Shot): boolean {
    return packet.inInterface === undefined ? this.#wire.answersDelivered.has(token) : this.#behind(packet.inInterface).answersEntered.has(token);
  }

  #strayed({ packet, token }: Shot): boolean {
    const right = packet.outInterface === undefined ? undefined : this.#behind(packet.outInterface);
    return [this.#world, ...this.#pods.map((pod) => pod.wire)].some((wire) => wire !== right && wire.entered.has(token));
  }

  /** The node may always speak to whatever is behind its interfaces: where that arrives, everything sent earlier has. */
  async #fence(): Promise<void> {
    const token = this.#fenceToken();
    const interfaces = [UPLINK, ...this.#pods.map((pod) => pod.interfaceName)];
    await Promise.all(interfaces.map((name) => this.#wire.send(fence(token), name)));
    await eventually('the last packets arrived', () => interfaces.every((name) => this.#behind(name).entered.has(token)), limitMs);
  }

  /** A link that is up begins to carry packets a little later, in either direction. */
  async #carries(interfaceName: string): Promise<void> {
    const token = this.#fenceToken();
    const there = this.#behind(interfaceName);
    await eventually(`${interfaceName} carries packets`, async () => {
      await Promise.all([this.#wire.send(fence(token), interfaceName), there.send(fence(token), UPLINK)]);
      return this.#wire.entered.has(token) && there.entered.has(token);
    }, limitMs);
  }

  #fenceToken(): number {
    this.#fences = (this.#fences + 1) % fenceTokens;
    for (const wire of [this.#wire, this.#world, ...this.#pods.map((pod) => pod.wire)]) wire.entered.delete(this.#fences + 1);
    return this.#fences + 1;
  }

  #behind(interfaceName: string): Wire {
    if (interfaceName === UPLINK || interfaceName === SECOND_LINK) return this.#world;
    const pod = this.#pods.find((each) => each.interfaceName === interfaceName);
    if (pod === undefined) throw new Error(`the node has no interface ${interfaceName}`);
    return pod.wire;
  }
}

/** Addressed to nobody. */
function fence(token: number): Buffer {
  return bytesOf({ family: 4, source: NODE_ADDRESS, destination: '192.0.2.99', protocol: 17, sourcePort: token, destinationPort: 9, connection: 'new' }, token);
}

/** What a packet may claim is for the rules to judge; and every answer is given, however many there are. */
const permissive = {
  'net/ipv4/conf/all/rp_filter': 0,
  'net/ipv4/conf/default/rp_filter': 0,
  'net/ipv4/conf/all/accept_local': 1,
  'net/ipv4/conf/all/send_redirects': 0,
  'net/ipv4/conf/default/send_redirects': 0,
  'net/ipv4/icmp_ratelimit': 0,
};

/** All that comes in is for this namespace; all that it sends leaves. */
const defaultRoute = [
  'link set eth0 up',
  'rule add pref 1 not iif lo lookup local',
  'rule del pref 0',
  'route add local default dev lo table local',
  'route add default dev eth0',
];

async function outside(label: string): Promise<Namespace> {
  const namespace = await Namespace.create(label);
  await namespace.sysctl(permissive);
  return namespace;
}

/** Both ends have one address and ask nobody for the other's. */
function veth(here: string, there: string, namespace: Namespace): string[] {
  return [`link add ${here} address ${MAC} arp off type veth peer name ${there} address ${MAC} arp off netns ${namespace.name}`, `link set ${here} up`];
}
