// A node on trial: worlds are enforced on it, and in each the packets that say most about it are sent. What the policies say, what
// becomes of the packet, and what the printed rules say must be the same.

import assert from 'node:assert/strict';
import { openRules, openSets, toolName } from '../../../src/dataplane/tools.ts';
import type { Packet } from '../../../src/model/packet.ts';
import type { Judge, World } from '../../../src/model/verdict.ts';
import type { Kernel } from '../../../src/simulate/kernel.ts';
import { loadKernel } from '../../../src/simulate/kernel.ts';
import { simulate } from '../../../src/simulate/simulate.ts';
import { judge } from '../../../src/verdict/judge.ts';
import type { take } from '../../property/changes.ts';
import type { Coverage } from '../../property/coverage.ts';
import type { Feature } from '../../property/features.ts';
import { Node as MemoryNode } from '../../property/node.ts';
import { eventually } from '../harness/eventually.ts';
import type { Backend } from '../harness/stage.ts';
import { Enforcer } from './enforcer.ts';
import type { Tools } from './enforcer.ts';
import { informativePackets } from './informative-packets.ts';
import { Places } from './places.ts';
import type { Fate, Shot } from './wired-node.ts';
import { isSelectable, WiredNode } from './wired-node.ts';

/** Of one agent, from its start to its end. */
export interface Life {
  /** Entered by relisting, one after the other; all with the options of the first. */
  readonly worlds: readonly World[];
  /** Then the last of them changes, batch after batch. */
  readonly batches: readonly ((world: World) => ReturnType<typeof take>)[];
  /** Candidates: what is sent of them, the features decide. */
  readonly packets: (world: World) => readonly Packet[];
  readonly coprocess: boolean;
}

export interface TrialOptions {
  readonly backend: Backend;
  /** For each that a world has, a packet is looked for about which it decides. */
  readonly features: readonly Feature[];
  readonly coverage: Coverage;
}

interface Reading {
  readonly rules: string;
  readonly sets: string;
  readonly kernel: Kernel;
}

type Due = Pick<Shot, 'passes' | 'answered'>;

const packetsPerWorld = 40;
/** Of a world, before there are any rules. */
const openPackets = 100;
/** Established connections of one world that are tried in the next. */
const rememberedFlows = 5;
/** Set of a running ipset coprocess. */
const marker = 'cali4-ack';

export class Trial implements AsyncDisposable {
  readonly counts = { worlds: 0, batches: 0, packets: 0, answers: 0, simulated: 0 };
  readonly #options: TrialOptions;
  readonly #node: WiredNode;
  #flows: readonly Shot[] = [];

  private constructor(options: TrialOptions, node: WiredNode) {
    this.#options = options;
    this.#node = node;
  }

  static async begin(options: TrialOptions): Promise<Trial> {
    return new Trial(options, await WiredNode.create(options.backend));
  }

  /** While there are no rules every packet arrives: whatever later does not, the rules have dropped. */
  async assertOpen({ worlds, packets }: Life): Promise<void> {
    for (const world of worlds) {
      const places = new Places(world);
      const sendable = places.sendableOf(packets(world)).slice(0, openPackets);
      const shots = sendable.flatMap((packet) => this.#shot(places, packet, () => ({ passes: true, answered: undefined })));
      const fates = await this.#send(places, shots);
      const lost = shots.filter((_, i) => fates[i]?.passed !== true || fates[i].strayed);
      assert.deepEqual(lost, [], 'packets that do not arrive although there are no rules');
    }
  }

  /** Begins with what the life before has left in the kernel. */
  async live({ worlds, batches, packets, coprocess }: Life): Promise<void> {
    const [first] = worlds;
    assert.ok(first !== undefined);
    await using tools = await this.#open(coprocess);
    await using enforcer = new Enforcer(first, tools);
    let current = first;
    for (const each of worlds) {
      current = { ...each, options: first.options };
      await enforcer.relist(current);
      this.counts.worlds += 1;
      await this.#try(current, packets);
    }
    for (const take of batches) {
      const { changes, world } = take(current);
      current = world;
      await enforcer.change(changes);
      this.counts.batches += 1;
      await this.#try(current, packets);
    }
    await this.#assertNothingIsLeftToDo(current);
    await enforcer.stop();
    await using fresh = new Enforcer(current, tools);
    await fresh.relist(current);
    await fresh.stop();
    assert.deepEqual(fresh.written, [], `a fresh agent has nothing to write\n${JSON.stringify(current)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#node[Symbol.asyncDispose]();
  }

  async #open(coprocess: boolean): Promise<Tools & AsyncDisposable> {
    const { namespace } = this.#node;
    const options = { runner: namespace.runner(), coprocess };
    const rules = await openRules({ ...options, backend: this.#options.backend, family: 4, lockFile: namespace.lockFile });
    const sets = await openSets(options);
    const close = async (): Promise<void> => void (await Promise.all([rules.close(), sets.close()]));
    return { rules, sets, [Symbol.asyncDispose]: close };
  }

  async #try(world: World, packetsOf: Life['packets']): Promise<void> {
    const judged = judge(world);
    const places = new Places(world);
    const reading = await this.#read();
    const candidates = places.sendableOf(packetsOf(world));
    for (const packet of candidates) this.#assertSimulated(world, judged, packet, reading);
    this.counts.simulated += candidates.length;

    const echoes = candidates.filter((packet) => packet.protocol === 1 && places.answered(judged, packet) === true).slice(0, rememberedFlows);
    const packets = new Set([...informativePackets(world, judged, this.#options.features, candidates, packetsPerWorld), ...echoes]);
    const due = (packet: Packet): Due => ({ passes: judged.verdict(packet).action === 'allow', answered: places.answered(judged, packet) });
    const shots = [...[...packets].flatMap((packet) => this.#shot(places, packet, due)), ...this.#establishedShots(judged, places)];
    const fates = await this.#send(places, shots);
    for (const [i, shot] of shots.entries()) {
      this.#assertSimulated(world, judged, shot.packet, reading);
      assertFate(world, judged, shot, fates[i], reading);
    }
    this.counts.packets += shots.length;
    this.counts.answers += shots.filter((shot) => shot.answered).length;
    this.#flows = shots.filter((shot) => shot.answered && shot.packet.protocol === 1).slice(0, rememberedFlows);
    this.#options.coverage.observe(world, judged, shots.map((shot) => shot.packet), shots.map((shot) => judged.verdict(shot.packet)));
  }

  async #send(places: Places, shots: readonly Shot[]): Promise<readonly Fate[]> {
    await this.#node.arrange(places, shots);
    return this.#node.send(shots);
  }

  /** Read twice if need be: what is no longer used may be removed between rules and sets. */
  async #read(): Promise<Reading> {
    const { namespace } = this.#node;
    let problem: unknown;
    const read = async (): Promise<Reading | undefined> => {
      try {
        const { stdout: rules } = await namespace.run(toolName(this.#options.backend, 4, 'save'), ['-t', 'filter'], { env: { XTABLES_LOCKFILE: namespace.lockFile } });
        const { stdout: sets } = await namespace.run('ipset', ['save']);
        return { rules, sets, kernel: loadKernel({ ipv4: rules, sets }) };
      } catch (error) {
        problem = error;
        return undefined;
      }
    };
    return eventually('the rules were read', read).catch(() => {
      throw problem;
    });
  }

  /** With another source port where the connection is not a new one; none if even that is impossible. */
  #shot(places: Places, drawn: Packet, due: (packet: Packet) => Due): readonly Shot[] {
    const token = this.#node.nextToken();
    const isPossible = drawn.destinationPort === undefined || isSelectable(drawn.destinationPort) || !places.needsDetour(drawn);
    const forms = [...(isPossible ? [drawn] : []), ...(drawn.sourcePort === undefined ? [] : [{ ...drawn, sourcePort: token }])];
    const packet = forms.find((form) => this.#node.claimConnection(form));
    return packet === undefined ? [] : [{ packet, token, ...due(packet) }];
  }

  /** Echoes that were answered in the world before: connection tracking knows them, whatever the policies say now. */
  #establishedShots(judged: Judge, places: Places): readonly Shot[] {
    return this.#flows.flatMap(({ packet: earlier, token: flow }) => {
      const packet: Packet = { ...earlier, connection: 'established' };
      if (places.needsDetour(packet)) return [];
      return [{ packet, token: this.#node.nextToken(), flow, passes: judged.verdict(packet).action === 'allow', answered: undefined }];
    });
  }

  #assertSimulated(world: World, judged: Judge, packet: Packet, reading: Reading): void {
    const found = simulate(reading.kernel, packet);
    if (found.action === judged.verdict(packet).action) return;
    assert.fail(report(world, judged, packet, `the printed rules ${found.action} it:\n${found.trace.map((rule) => `  ${rule.text}`).join('\n')}`, reading));
  }

  /** What is no longer used is removed when nothing else is to be done. */
  async #assertNothingIsLeftToDo(world: World): Promise<void> {
    const memory = new MemoryNode(world);
    await memory.relist(world);
    const chains = memory.kernel.chains().toSorted();
    const names = setNames(memory.kernel.setsText());
    await memory.stop();
    let found: unknown;
    const isTidy = async (): Promise<boolean> => {
      const reading = await this.#read();
      found = { chains: [...reading.rules.matchAll(/^:(\S+)/gm)].map(([, name = '']) => name).toSorted(), sets: setNames(reading.sets) };
      return JSON.stringify(found) === JSON.stringify({ chains, sets: names });
    };
    await eventually('the kernel has the chains and sets that are needed, and no others', isTidy, 60_000).catch(() => {
      assert.deepEqual(found, { chains, sets: names }, 'chains and sets in the kernel');
    });
  }
}

function setNames(text: string): readonly string[] {
  return [...text.matchAll(/^create (\S+)/gm)].flatMap(([, name]) => (name === undefined || name === marker ? [] : [name])).toSorted();
}

function assertFate(world: World, judged: Judge, shot: Shot, fate: Fate | undefined, reading: Reading): void {
  assert.ok(fate !== undefined);
  if (fate.passed === shot.passes && !fate.strayed && (shot.answered === undefined || fate.answered === shot.answered)) return;
  const went = `it ${fate.passed ? 'passed' : 'was dropped'}, ${fate.answered ? 'was' : 'was not'} answered${fate.strayed ? ', and was seen elsewhere' : ''}`;
  assert.fail(report(world, judged, shot.packet, `${went}; an answer was ${shot.answered === undefined ? 'not asked for' : shot.answered ? 'due' : 'not due'}`, reading));
}

function report(world: World, judged: Judge, packet: Packet, what: string, { rules, sets }: Reading): string {
  const { action, decisions } = judged.verdict(packet);
  return [`the policies ${action} ${JSON.stringify(packet)}: ${JSON.stringify(decisions)}`, what, JSON.stringify(world), rules, sets].join('\n');
}
