// Simulate against the kernel: the text that the real tools save is understood, and what simulate foresees is what becomes of real
// packets between network namespaces. Both backends.
//
//   client 10.77.<case>.1 ──caliclient── node 10.99.<case>.1 ──caliserver── server 10.88.<case>.1

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Hook, Packet } from '../../src/model/packet.ts';
import { loadKernel } from '../../src/simulate/kernel.ts';
import type { Kernel } from '../../src/simulate/kernel.ts';
import { parseRules } from '../../src/simulate/parse-rules.ts';
import { simulate } from '../../src/simulate/simulate.ts';
import type { Backend } from '../fakes/rule-tables.ts';
import { ruleText } from '../fakes/rule-text.ts';
import { Namespace } from './harness/namespace.ts';
import { Probe, probe } from './harness/probe.ts';
import { packetCases, packetSets } from './packet-cases.ts';
import type { CasePacket, PacketCase } from './packet-cases.ts';
import { ruleShapes, ruleShapes6, setup } from './rule-cases.ts';

const addresses = (index: number) => ({ client: `10.77.${index}.1`, server: `10.88.${index}.1`, node: `10.99.${index}.1` });
const ports = [53, 80, 81, 443, 444, 446];

async function tool(namespace: Namespace, file: string, args: readonly string[], input = ''): Promise<string> {
  return (await namespace.run(file, args, { input, env: { XTABLES_LOCKFILE: namespace.lockFile } })).stdout;
}

for (const backend of ['nft', 'legacy'] as const) {
  describe(`rules saved by iptables-${backend}`, () => {
    let namespace: Namespace;
    before(async () => {
      namespace = await Namespace.create(`shapes-${backend}`);
      for (const command of setup) await namespace.run('ipset', command.split(' '));
    });
    after(() => namespace.remove());

    for (const [family, shapes] of [[4, ruleShapes], [6, ruleShapes6]] as const) {
      it(`are understood, every shape of IPv${family}`, async () => {
        const name = `${family === 4 ? 'iptables' : 'ip6tables'}-${backend}`;
        const accepted = shapes.filter((shape) => shape.refused === undefined);
        await tool(namespace, `${name}-restore`, [], `*filter\n:zz - [0:0]\n:cali-b - [0:0]\n${accepted.map(({ body }) => `${body}\n`).join('')}COMMIT\n`);
        const rules = parseRules(await tool(namespace, `${name}-save`, ['-t', 'filter'])).get('filter')?.chains.get('zz')?.rules ?? [];
        assert.equal(rules.length, accepted.length);
        for (const rule of rules) {
          assert.deepEqual(rule.matches.filter((match) => match.kind === 'unknown'), [], rule.text);
          assert.notEqual(rule.target?.kind, 'unknown', rule.text);
          // Printed again it is the same text: nothing was lost on the way in.
          assert.equal(`-A zz ${ruleText(rule, family)}`.trimEnd(), rule.text);
        }
      });
    }
  });

  describe(`packets through iptables-${backend}`, { concurrency: 8 }, () => {
    let bed: TestBed;
    before(async () => {
      bed = await TestBed.create(backend);
    });
    after(() => bed.close());

    for (const [index, packetCase] of packetCases.entries()) {
      it(`${packetCase.name}: ${packetCase.packets.map(describePacket).join(', ')}`, async () => {
        for (const sent of packetCase.packets) {
          assert.equal(foreseen(bed.kernel, packetCase, index, sent), sent.passes, `simulate, ${describePacket(sent)}`);
        }
        const real = await bed.send(packetCase, index);
        assert.deepEqual(real, packetCase.packets.map((sent) => sent.passes), 'the kernel');
      });
    }
  });
}

function describePacket(sent: CasePacket): string {
  return `${sent.protocol}/${sent.port}${sent.sourcePort === undefined ? '' : ` from ${sent.sourcePort}`} ${sent.passes ? 'passes' : 'is dropped'}`;
}

function foreseen(kernel: Kernel, { hook = 'FORWARD', mark = 0 }: PacketCase, index: number, sent: CasePacket): boolean {
  const { client, server, node } = addresses(index);
  const packet: Packet = {
    family: 4,
    source: hook === 'OUTPUT' ? node : client,
    destination: hook === 'INPUT' ? node : server,
    protocol: sent.protocol === 'tcp' ? 6 : 17,
    sourcePort: sent.sourcePort ?? 50_000,
    destinationPort: sent.port,
    connection: 'new',
    ...(hook !== 'OUTPUT' && { inInterface: 'caliclient' }),
    ...(hook !== 'INPUT' && { outInterface: 'caliserver' }),
  };
  return simulate(kernel, packet, { mark, localAddresses: new Set([node]) }).action === 'allow';
}

/** The rule that leads packets of a case into its chain. */
function entry(hook: Hook, index: number): string {
  const { client, server } = addresses(index);
  return `-A ${hook} ${hook === 'OUTPUT' ? `-d ${server}/32` : `-s ${client}/32`} -j t${index}`;
}

class TestBed {
  readonly kernel: Kernel;
  readonly #namespaces: readonly Namespace[];
  readonly #probes: Readonly<Record<'client' | 'node' | 'server', Probe>>;

  private constructor(kernel: Kernel, namespaces: readonly Namespace[], probes: Readonly<Record<'client' | 'node' | 'server', Probe>>) {
    this.kernel = kernel;
    this.#namespaces = namespaces;
    this.#probes = probes;
  }

  static async create(backend: Backend): Promise<TestBed> {
    const [client, node, server] = await Promise.all(['client', 'node', 'server'].map((label) => Namespace.create(label)));
    assert.ok(client && node && server);
    await wire(client, node, server);
    const kernel = await loadRules(node, backend);
    const [fromClient, onNode, atServer] = await Promise.all([Probe.start(client), Probe.start(node), Probe.start(server)]);
    for (const listener of [onNode, atServer]) await Promise.all([listener.listen('tcp', ...ports), listener.listen('udp', ...ports)]);
    return new TestBed(kernel, [client, node, server], { client: fromClient, node: onNode, server: atServer });
  }

  /** All packets of a case at once; what became of each. */
  send({ hook = 'FORWARD', packets }: PacketCase, index: number): Promise<boolean[]> {
    const { client, server, node } = addresses(index);
    const from = hook === 'OUTPUT' ? this.#probes.node : this.#probes.client;
    const to = hook === 'INPUT' ? this.#probes.node : this.#probes.server;
    const ends = { sourceAddress: hook === 'OUTPUT' ? node : client, address: hook === 'INPUT' ? node : server };
    return Promise.all(packets.map(async ({ protocol, port, sourcePort }) => (await probe(from, to, { ...ends, protocol, port, ...(sourcePort && { sourcePort }) })).passed));
  }

  async close(): Promise<void> {
    await Promise.all(Object.values(this.#probes).map((end) => end.close()));
    await Promise.all(this.#namespaces.map((namespace) => namespace.remove()));
  }
}

/** Every address of the three ranges is local to its namespace, without being configured one by one. */
async function wire(client: Namespace, node: Namespace, server: Namespace): Promise<void> {
  await node.batch([
    `link add caliclient type veth peer name eth0 netns ${client.name}`,
    `link add caliserver type veth peer name eth0 netns ${server.name}`,
    'link set caliclient up',
    'link set caliserver up',
    'address add 10.1.0.1/24 dev caliclient',
    'address add 10.2.0.1/24 dev caliserver',
    'route add local 10.99.0.0/16 dev lo',
    'route add 10.77.0.0/16 via 10.1.0.2',
    'route add 10.88.0.0/16 via 10.2.0.2',
  ]);
  await client.batch(['link set eth0 up', 'address add 10.1.0.2/24 dev eth0', 'route add local 10.77.0.0/16 dev lo', 'route add default via 10.1.0.1']);
  await server.batch(['link set eth0 up', 'address add 10.2.0.2/24 dev eth0', 'route add local 10.88.0.0/16 dev lo', 'route add default via 10.2.0.1']);
  await node.sysctl({ 'net/ipv4/ip_forward': 1 });
}

async function loadRules(node: Namespace, backend: Backend): Promise<Kernel> {
  const place = (text: string, index: number): string => {
    const { client, server } = addresses(index);
    return text.replaceAll('CHAIN', `t${index}`).replaceAll('CLIENT', client).replaceAll('SERVER', server).replaceAll('CASE', String(index));
  };
  for (const command of packetSets) await node.run('ipset', command.split(' '));
  const own = packetCases.flatMap((packetCase, index) => {
    if (!packetCase.rules.some((rule) => rule.includes('pairsCASE'))) return [];
    const { server } = addresses(index);
    return [`create pairs${index} hash:ip,port family inet maxelem 9`, `add pairs${index} ${server},tcp:80`, `add pairs${index} ${server},udp:53`];
  });
  for (const command of own) await node.run('ipset', command.split(' '));
  const rules = packetCases.flatMap((packetCase, index) => [...packetCase.rules.map((rule) => place(rule, index)), entry(packetCase.hook ?? 'FORWARD', index)]);
  const chains = new Set(rules.map((rule) => rule.split(' ')[1] as string).filter((chain) => chain.startsWith('t')));
  await tool(node, `iptables-${backend}-restore`, [], ['*filter', ...[...chains].map((chain) => `:${chain} - [0:0]`), ...rules, 'COMMIT', ''].join('\n'));
  const marks = packetCases.flatMap(({ mark }, index) => (mark === undefined ? [] : [`-A PREROUTING -s ${addresses(index).client}/32 -j MARK --set-xmark ${mark}/0xffffffff`]));
  await tool(node, `iptables-${backend}-restore`, [], ['*mangle', ...marks, 'COMMIT', ''].join('\n'));
  return loadKernel({ ipv4: await tool(node, `iptables-${backend}-save`, ['-t', 'filter']), sets: await tool(node, 'ipset', ['save']) });
}
