// The demo's stage: two nodes and seven pods out of network namespaces, and the agent on the first node.

import { Node, link } from '../../test/kernel/harness/topology.ts';
import { probe, PacketStream } from '../../test/kernel/harness/probe.ts';
import type { Probe } from '../../test/kernel/harness/probe.ts';
import type { Mark } from './scenario.ts';
import { pods, ports, sources } from './scenario.ts';
import type { Matrix } from './matrix.ts';
import { parseRow } from './matrix.ts';

export class Stage {
  readonly nodes: { readonly a: Node; readonly b: Node };
  readonly #probes = new Map<string, Probe>();

  private constructor(a: Node, b: Node) {
    this.nodes = { a, b };
  }

  static async build(): Promise<Stage> {
    const a = await Node.create({ name: 'node-a', address: '172.31.0.1', podCidrs: ['10.65.0.0/24'] });
    const stage = new Stage(a, await Node.create({ name: 'node-b', address: '172.31.0.2', podCidrs: ['10.65.1.0/24'] }));
    try {
      await link(stage.nodes.a, stage.nodes.b);
      for (const { namespace, name, node, address } of pods) {
        const host = node === 'node-a' ? stage.nodes.a : stage.nodes.b;
        const pod = await host.addPod({ namespace, name, addresses: [address] });
        stage.#probes.set(name, pod.probe);
        await pod.probe.listen('tcp', ports.tcp);
        await pod.probe.listen('udp', ports.udp);
      }
      stage.#probes.set('node-a', a.probe);
      return stage;
    } catch (error) {
      await stage.remove();
      throw error;
    }
  }

  probe(name: string): Probe {
    const found = this.#probes.get(name);
    if (found === undefined) throw new Error(`the scenario names "${name}", which is not on the stage`);
    return found;
  }

  /** Sends a TCP connection and a UDP packet for each cell, and compares what became of them with the hand-written grid. */
  async matrix(expected: readonly string[]): Promise<Matrix> {
    const cells = sources.map((from, row) => {
      const marks = parseRow(expected[row] ?? '');
      return pods.map(async (to, column) => {
        const mark = marks[column];
        if (mark === undefined) throw new Error(`the grid of the scenario has no column ${column} in row ${row}`);
        return { expected: mark, seen: mark === '.' ? ('.' as const) : await this.#cell(from, to.name, to.address) };
      });
    });
    return { rows: sources, columns: pods.map((pod) => pod.name), cells: await Promise.all(cells.map((row) => Promise.all(row))) };
  }

  async #cell(from: string, to: string, address: string): Promise<Mark> {
    const [tcp, udp] = await Promise.all(
      (['tcp', 'udp'] as const).map((protocol) => probe(this.probe(from), this.probe(to), { protocol, address, port: ports[protocol], timeoutMs: 400 })),
    );
    if (tcp?.passed === true) return udp?.passed === true ? 'B' : 'T';
    return udp?.passed === true ? 'U' : '-';
  }

  /** A packet every millisecond from one pod to another. */
  stream(from: string, to: string): Promise<PacketStream> {
    const target = pods.find((pod) => pod.name === to);
    if (target === undefined) throw new Error(`the scenario names "${to}", which is no pod`);
    return PacketStream.start(this.probe(from), this.probe(to), { address: target.address, port: ports.udp });
  }

  async remove(): Promise<void> {
    await Promise.all([this.nodes.a.remove(), this.nodes.b.remove()]);
  }
}
