// A node with wires, for any packet that a world can be asked about: interfaces of any name behind which nothing but a wire is, and
// links to the rest of the world. From world to world interfaces change their names and addresses their place; namespaces and wires stay.
//
//   pod 1 ── cali0123… ┐      ┌── eth0 ────── the rest of the world
//   pod 2 ── cali4567… ┤ node ├── flannel.1 ─ the same, another way
//   …                  ┘      └── …
//
// What arrives at the other end of an interface is for whoever is there, whatever the address; all that he sends leaves by it. So the
// node's rules alone decide. Where a packet leaves the node is decided by the address, and by a detour for the packets that a world
// means otherwise: one address may belong to two pods.

import type { Packet } from '../../../src/model/packet.ts';
import { hookOf } from '../../../src/model/packet.ts';
import { eventually } from '../harness/eventually.ts';
import { Namespace } from '../harness/namespace.ts';
import { Wire } from '../harness/wire.ts';
import { bytesOf, UNTRACKED_TOS } from '../harness/wire-packet.ts';
import { toolName } from '../../../src/dataplane/tools.ts';
import { links, NODE_ADDRESS, UPLINK } from './places.ts';
import type { Places } from './places.ts';
import type { Backend } from '../harness/stage.ts';

const MAC = '0a:58:0a:41:00:01';
const ICMP = 1;
const firstTable = 1_000;
const hostTable = 900;
const firstRule = 1_000;
/** What is on its way arrives at once, but on a busy machine "at once" may take long. */
const limitMs = 30_000;
const firstToken = 10_000;
const lastToken = 65_000;
/** Tokens may become source ports: none is one from which a packet of a world comes by itself, or to which one goes. */
const drawnPorts = [32_768, 33_768] as const;
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

/** What an interface of the node leads to. */
interface End {
  interfaceName: string;
  readonly wire: Wire;
}

export class WiredNode implements AsyncDisposable {
  readonly namespace: Namespace;
  readonly #wire: Wire;
  /** Links never change their names. */
  readonly #ends: End[] = [];
  readonly #routed = new Set<string>();
  #rules = 0;
  #tokens = firstToken;
  readonly #connections = new Set<string>();
  #fences = 0;

  private constructor(namespace: Namespace, wire: Wire) {
    this.namespace = namespace;
    this.#wire = wire;
  }

  static async create(backend: Backend): Promise<WiredNode> {
    const namespace = await Namespace.create(`wired-${backend}`);
    await namespace.sysctl({
      'net/ipv4/ip_forward': 1,
      ...permissive,
      // Connections of one world are met again in the next.
      'net/netfilter/nf_conntrack_icmp_timeout': 600,
    });
    await namespace.run(toolName(backend, 4, 'restore'), [], { input: leftUntracked, env: { XTABLES_LOCKFILE: namespace.lockFile } });
    const node = new WiredNode(namespace, await Wire.start(namespace));
    await node.#add(links);
    await namespace.batch([`addr add ${NODE_ADDRESS}/32 dev lo`, `route add default dev ${UPLINK}`, `route add local default dev lo table ${hostTable}`]);
    await Promise.all(links.map((name) => node.#carries(name)));
    return node;
  }

  /** A number for a packet; never the same twice. */
  nextToken(): number {
    this.#tokens = this.#tokens + 1 === drawnPorts[0] ? drawnPorts[1] : this.#tokens + 1;
    if (this.#tokens > lastToken) throw new RangeError('no token is left: fewer packets for one node, please');
    return this.#tokens;
  }

  /**
   * False if there was a packet of this connection before, in either direction, in this world or an earlier one: without ports, all
   * packets between two addresses are one connection. Every echo is one of its own.
   */
  claimConnection({ protocol, source, sourcePort, destination, destinationPort }: Packet): boolean {
    if (protocol === ICMP) return true;
    const connection = [protocol, ...[`${source} ${sourcePort}`, `${destination} ${destinationPort}`].toSorted()].join();
    return !this.#connections.has(connection) && this.#connections.add(connection).size > 0;
  }

  /** Makes the interfaces that the packets name, and routes for them. */
  async arrange(places: Places, shots: readonly Shot[]): Promise<void> {
    const named = shots.flatMap(({ packet }) => [packet.inInterface, packet.outInterface]).filter((name) => name !== undefined);
    await this.#name([...new Set([...named, ...places.homes.values()])]);
    const lines: string[] = [];
    for (const address of this.#routed) if (!places.homes.has(address)) lines.push(`route replace ${address}/32 dev ${UPLINK}`);
    for (const [address, interfaceName] of places.homes) {
      this.#routed.add(address);
      lines.push(`route replace ${address}/32 dev ${interfaceName} scope link`);
    }
    for (let i = 0; i < this.#rules; i += 1) lines.push(`rule del pref ${firstRule + i}`);
    this.#rules = 0;
    for (const { packet } of shots.filter((shot) => places.needsDetour(shot.packet))) {
      lines.push(`rule add pref ${firstRule + this.#rules} ${selectorOf(packet)} lookup ${this.#tableFor(packet)}`);
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
    const wires = [this.#wire, ...this.#ends.map(({ wire }) => wire)];
    await Promise.all(wires.map((wire) => wire.close()));
    await Promise.all(wires.map((wire) => wire.namespace.remove()));
  }

  async #name(names: readonly string[]): Promise<void> {
    const missing = names.filter((name) => !this.#ends.some(({ interfaceName }) => interfaceName === name));
    const free = this.#ends.filter(({ interfaceName }) => !links.includes(interfaceName) && !names.includes(interfaceName));
    const lines: string[] = [];
    for (const [i, name] of missing.slice(0, free.length).entries()) {
      const end = free[i] as End;
      // Older kernels rename an interface only while it is down.
      lines.push(`link set ${end.interfaceName} down`, `link set ${end.interfaceName} name ${name}`, `link set ${name} up`);
      lines.push(`route replace default dev ${name} table ${firstTable + this.#ends.indexOf(end)}`);
      end.interfaceName = name;
    }
    await this.namespace.batch(lines);
    await this.#add(missing.slice(free.length));
    await Promise.all(missing.map((name) => this.#carries(name)));
  }

  async #add(names: readonly string[]): Promise<void> {
    const made = await Promise.all(names.map(async (name, i) => {
      const there = await Namespace.create(`end-${this.#ends.length + i}`);
      await there.sysctl(permissive);
      await this.namespace.batch(veth(name, UPLINK, there));
      await there.batch(defaultRoute);
      return { interfaceName: name, wire: await Wire.start(there) };
    }));
    await this.namespace.batch(made.map((end) => `route add default dev ${end.interfaceName} table ${firstTable + this.#ends.push(end) - 1}`));
  }

  #tableFor({ outInterface }: Packet): number {
    return outInterface === undefined ? hostTable : firstTable + this.#ends.findIndex(({ interfaceName }) => interfaceName === outInterface);
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
    const isHosts = hookOf(packet) === 'INPUT';
    return (!isHosts && this.#wire.delivered.has(token)) || this.#ends.some(({ wire }) => wire !== right && wire.entered.has(token));
  }

  /** The node may always speak to whatever is behind its interfaces: where that arrives, everything sent earlier has. */
  async #fence(): Promise<void> {
    const token = this.#fenceToken();
    const interfaces = this.#ends.map(({ interfaceName }) => interfaceName);
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
    for (const wire of [this.#wire, ...this.#ends.map((end) => end.wire)]) wire.entered.delete(this.#fences + 1);
    return this.#fences + 1;
  }

  #behind(interfaceName: string): Wire {
    const end = this.#ends.find((each) => each.interfaceName === interfaceName);
    if (end === undefined) throw new Error(`the node has no interface ${interfaceName}`);
    return end.wire;
  }
}

/** Addressed to nobody. */
function fence(token: number): Buffer {
  return bytesOf({ family: 4, source: NODE_ADDRESS, destination: '192.0.2.99', protocol: 17, sourcePort: token, destinationPort: 9, connection: 'new' }, token);
}

/** For the one packet for which a detour is made: no other has the same ends, nor has an answer to another. */
function selectorOf({ protocol, source, sourcePort, destination, destinationPort }: Packet): string {
  const from = sourcePort === undefined ? '' : ` sport ${sourcePort}`;
  const to = destinationPort === undefined || !isSelectable(destinationPort) ? '' : ` dport ${destinationPort}`;
  return `from ${source} to ${destination} ipproto ${protocol}${from}${to}`;
}

/** A detour for a packet to another port is made for its source port, which therefore must be a token. */
export function isSelectable(port: number): boolean {
  return port < 65_535;
}

/** Somebody else's rules, as far as the agent is concerned. */
const leftUntracked = ['*raw', ...['PREROUTING', 'OUTPUT'].map((chain) => `-A ${chain} -m tos --tos ${UNTRACKED_TOS} -j CT --notrack`), 'COMMIT', ''].join('\n');

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

/** Both ends have one address and ask nobody for the other's. */
function veth(here: string, there: string, namespace: Namespace): string[] {
  return [`link add ${here} address ${MAC} arp off type veth peer name ${there} address ${MAC} arp off netns ${namespace.name}`, `link set ${here} up`];
}
