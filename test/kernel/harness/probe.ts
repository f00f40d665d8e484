// Real packets and what became of them. A probe is a small program inside a network namespace, controlled over its standard input;
// it listens and sends. A packet that passes is known after its round trip; one that is dropped after a bounded wait, behind which
// both sides are asked once more, so that a slow machine does not turn into a verdict.
//
//   await b.listen('tcp', 80);
//   const { passed } = await probe(a, b, { protocol: 'tcp', address: '10.65.0.3', port: 80 });

import { randomUUID } from 'node:crypto';
import type { Namespace } from './namespace.ts';
import { readLines } from '../../../src/dataplane/line-reader.ts';
import type { AttemptAnswer, ProbeReply, ProbeRequest } from './probe-protocol.ts';

export interface Attempt {
  readonly protocol: 'tcp' | 'udp';
  readonly address: string;
  readonly port: number;
  /** An address of the sender's namespace to speak from. */
  readonly sourceAddress?: string;
  readonly sourcePort?: number;
  /** How long silence counts as "not yet" (default 200 ms). */
  readonly timeoutMs?: number;
}

export interface Verdict {
  readonly passed: boolean;
  /** "answered" (a datagram of which the probe at the destination says that it arrived, too); "refused": an error came back (no listener, REJECT, no route); "silent": nothing came, as after DROP. */
  readonly how: 'answered' | 'refused' | 'silent';
  /** ECONNREFUSED, EHOSTUNREACH, … when refused. */
  readonly code?: string;
  readonly milliseconds: number;
}

export class Probe {
  readonly #child: ReturnType<Namespace['spawn']>;
  readonly #waiting = new Map<number, { resolve(answer: unknown): void; reject(error: Error): void }>();
  readonly #ended: Promise<void>;
  #requests = 0;
  #gone = false;

  private constructor(namespace: Namespace) {
    const child = namespace.spawn(process.execPath, [new URL('probe-child.ts', import.meta.url).pathname], {
      env: { ...process.env, NODE_OPTIONS: '--disable-warning=ExperimentalWarning' },
    });
    this.#child = child;
    let errors = '';
    readLines(child.stdout, (line) => {
      const reply = JSON.parse(line) as ProbeReply;
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if (reply.error === undefined) waiting?.resolve(reply.answer);
      else waiting?.reject(new Error(`probe in ${namespace.name}: ${reply.error}`));
    });
    readLines(child.stderr, (line) => {
      errors += `${line}\n`;
    });
    child.stdin.on('error', () => {});
    this.#ended = new Promise((resolve) => {
      child.once('close', () => {
        this.#gone = true;
        for (const waiting of this.#waiting.values()) waiting.reject(new Error(`the probe in ${namespace.name} ended: ${errors}`));
        this.#waiting.clear();
        resolve();
      });
      child.once('error', () => resolve());
    });
  }

  static async start(namespace: Namespace): Promise<Probe> {
    const probe = new Probe(namespace);
    await probe.request({ op: 'ping' });
    return probe;
  }

  /** Answers on this port, until the probe ends. On every address of the namespace, both families. */
  async listen(protocol: 'tcp' | 'udp', ...ports: readonly number[]): Promise<void> {
    await Promise.all(ports.map((port) => this.request({ op: 'listen', protocol, port })));
  }

  request(request: ProbeRequest): Promise<unknown> {
    if (this.#gone) return Promise.reject(new Error('the probe has ended'));
    this.#requests += 1;
    const id = this.#requests;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.stdin.write(`${JSON.stringify({ id, ...request })}\n`);
    });
  }

  async close(): Promise<void> {
    if (!this.#gone) this.#child.stdin.end();
    await this.#ended;
  }
}

/**
 * One packet (UDP) or one connection (TCP), from a source port that was not used before: the kernel's connection tracking has no
 * opinion on it yet. `to` is the probe at the destination, where there is one.
 */
export async function probe(from: Probe, to: Probe | undefined, attempt: Attempt): Promise<Verdict> {
  const token = randomUUID();
  const answer = await from.request({ op: 'attempt', token, ...attempt, timeoutMs: attempt.timeoutMs ?? 200 }) as AttemptAnswer;
  if (answer.how !== 'silent') return { ...answer, passed: answer.how === 'answered' };
  // Let both sides work off what has arrived, then look again.
  const arrived = to === undefined ? false : await to.request({ op: 'seen', token }) as boolean;
  const late = await from.request({ op: 'conclude', token }) as AttemptAnswer;
  return arrived ? { ...late, how: 'answered', passed: true } : { ...late, passed: late.how === 'answered' };
}

/** Microseconds on the clock that all probes of the machine share (CLOCK_MONOTONIC). */
export function monotonicMicros(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

/** A steady stream of UDP packets of one socket, each judged by itself: without answers, connection tracking keeps it NEW. */
export class PacketStream {
  readonly #from: Probe;
  readonly #to: Probe;
  readonly #id = randomUUID();

  private constructor(from: Probe, to: Probe) {
    this.#from = from;
    this.#to = to;
  }

  /** Sends to `address`:`port`, where `to` listens with listenStream, every `intervalMs` (default 1). */
  static async start(from: Probe, to: Probe, target: { readonly address: string; readonly port: number; readonly intervalMs?: number }): Promise<PacketStream> {
    const stream = new PacketStream(from, to);
    await to.request({ op: 'collect', stream: stream.#id, port: target.port });
    await from.request({ op: 'stream', stream: stream.#id, address: target.address, port: target.port, intervalMs: target.intervalMs ?? 1 });
    return stream;
  }

  /**
   * Waits until packets have the verdict and kept it for `holdMs` (default 20). Resolves with the time (monotonicMicros) at which the
   * first of them was sent. Only packets sent after `since` count.
   */
  async until(passed: boolean, since: number, options: { readonly holdMs?: number; readonly limitMs?: number } = {}): Promise<number> {
    const { holdMs = 20, limitMs = 10_000 } = options;
    const end = monotonicMicros() + limitMs * 1_000;
    for (;;) {
      // Asked in this order, so that what was sent has had its time to arrive.
      const sent = await this.#from.request({ op: 'sent', stream: this.#id, since }) as [number, number][];
      await this.#from.request({ op: 'wait', milliseconds: 3 });
      const arrived = new Set(await this.#to.request({ op: 'arrived', stream: this.#id }) as number[]);
      let first: number | undefined;
      for (const [number, at] of sent) {
        if (arrived.has(number) !== passed) first = undefined;
        else first ??= at;
      }
      const last = sent.at(-1)?.[1] ?? 0;
      if (first !== undefined && last - first >= holdMs * 1_000) return first;
      if (monotonicMicros() > end) throw new Error(`after ${limitMs} ms packets are still ${passed ? 'dropped' : 'passed'}`);
    }
  }

  /** How many packets sent since then did not arrive, and how many did. */
  async count(since: number): Promise<{ readonly passed: number; readonly dropped: number }> {
    const sent = await this.#from.request({ op: 'sent', stream: this.#id, since }) as [number, number][];
    await this.#from.request({ op: 'wait', milliseconds: 3 });
    const arrived = new Set(await this.#to.request({ op: 'arrived', stream: this.#id }) as number[]);
    const passed = sent.filter(([number]) => arrived.has(number)).length;
    return { passed, dropped: sent.length - passed };
  }

  /** Ends the stream, and tells what became of each packet after all had their time: when the last one was sent, and which arrived. */
  async finish(): Promise<{ readonly passed: number; readonly dropped: number }> {
    await this.#from.request({ op: 'halt', stream: this.#id });
    const sent = await this.#from.request({ op: 'sent', stream: this.#id, since: 0 }) as [number, number][];
    let passed = -1;
    for (let arrived = 0; arrived !== passed && passed < sent.length;) {
      passed = arrived;
      // A receiver that is slow still has them in its socket; one that got none for a while has got them all.
      await this.#to.request({ op: 'wait', milliseconds: 100 });
      arrived = new Set(await this.#to.request({ op: 'arrived', stream: this.#id }) as number[]).size;
    }
    await this.stop();
    return { passed, dropped: sent.length - passed };
  }

  async stop(): Promise<void> {
    await this.#from.request({ op: 'stop', stream: this.#id });
    await this.#to.request({ op: 'stop', stream: this.#id });
  }
}
