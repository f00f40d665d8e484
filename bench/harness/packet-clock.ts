// When did the verdict on packets change, to a fraction of a millisecond: a stream of UDP packets from one namespace to another, none
// of which is answered, so that connection tracking takes each for a new one and the rules judge it.
//
// In: two namespaces, an interval. Out: the time (microseconds of the monotonic clock) at which the first packet with the new verdict
// was sent, known when the verdict has held for a while. The resolution is the interval plus what the scheduler adds: `resolution()`
// says what it was.

import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Namespace } from '../../test/kernel/harness/namespace.ts';
import { readLines } from '../../src/dataplane/line-reader.ts';
import { within } from '../../test/cluster/harness/wait.ts';

const CHILD = new URL('packet-clock-child.ts', import.meta.url).pathname;
const LIMIT_MS = 60_000;

export interface PacketClockOptions {
  readonly from: Namespace;
  readonly to: Namespace;
  readonly address: string;
  readonly port: number;
  /** Default 250. */
  readonly intervalMicros?: number;
}

interface Sent {
  readonly at?: number;
  /** The number of the next packet. */
  readonly next: number;
  readonly now: number;
}

class End {
  readonly #child: ChildProcess & { readonly stdin: NonNullable<ChildProcess['stdin']> };
  readonly #waiting = new Map<number, (value: unknown) => void>();
  readonly #ended: Promise<never>;
  #requests = 0;

  constructor(namespace: Namespace, args: readonly string[]) {
    const child = namespace.spawn(process.execPath, [CHILD, ...args]);
    this.#child = child;
    child.stdin.on('error', () => {});
    readLines(child.stdout, (line) => {
      const { id, value } = JSON.parse(line) as { id: number; value: unknown };
      this.#waiting.get(id)?.(value);
      this.#waiting.delete(id);
    });
    let errors = '';
    readLines(child.stderr, (line) => {
      errors += `${line}\n`;
    });
    this.#ended = new Promise((_resolve, reject) => child.once('close', () => reject(new Error(`the packet clock ended: ${errors}`))));
    this.#ended.catch(() => {});
  }

  ask<T>(request: Readonly<Record<string, unknown>>, limitMs = LIMIT_MS): Promise<T> {
    this.#requests += 1;
    const id = this.#requests;
    const answer = new Promise<T>((resolve) => this.#waiting.set(id, (value) => resolve(value as T)));
    this.#child.stdin.write(`${JSON.stringify({ id, ...request })}\n`);
    return within(`the packet clock to answer ${JSON.stringify(request)}`, limitMs, Promise.race([answer, this.#ended]));
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.stdin.end();
    await ended;
  }
}

export class PacketClock implements AsyncDisposable {
  readonly #sender: End;
  readonly #receiver: End;
  readonly #intervalMicros: number;

  private constructor(sender: End, receiver: End, intervalMicros: number) {
    this.#sender = sender;
    this.#receiver = receiver;
    this.#intervalMicros = intervalMicros;
  }

  static async start({ from, to, address, port, intervalMicros = 250 }: PacketClockOptions): Promise<PacketClock> {
    const receiver = new End(to, ['receive', address, String(port)]);
    await receiver.ask({ op: 'ping' });
    const sender = new End(from, ['send', address, String(port), String(intervalMicros)]);
    await sender.ask({ op: 'ping' });
    return new PacketClock(sender, receiver, intervalMicros);
  }

  /** When the first packet with that verdict was sent, of those sent after `since`. It held for `holdMs` (default 20). */
  async until(passed: boolean, since: number, options: { readonly holdMs?: number; readonly limitMs?: number } = {}): Promise<number> {
    const { holdMs = 20, limitMs } = options;
    const holdMicros = holdMs * 1_000;
    if (passed) return this.#receiver.ask<number>({ op: 'until', passed, since, holdMicros }, limitMs);
    for (;;) {
      const last = await this.#receiver.ask<number>({ op: 'until', passed, holdMicros }, limitMs);
      const lost = await this.#sender.ask<Sent>({ op: 'sent', number: last + 1 });
      const still = await this.#receiver.ask<number>({ op: 'last' });
      // A sender that was held up proves nothing.
      const isProof = lost.next - last > holdMicros / this.#intervalMicros / 4;
      if (still === last && isProof) return Math.max(since, lost.at ?? since);
    }
  }

  /** How many packets have arrived so far, and how many of those before the last one that did have not. */
  count(): Promise<{ readonly arrived: number; readonly missing: number }> {
    return this.#receiver.ask({ op: 'arrived' });
  }

  /** What the time between two packets was over the last while, ms: mean. */
  async resolution(): Promise<number> {
    const one = await this.#sender.ask<Sent>({ op: 'sent' });
    await sleep(250);
    const other = await this.#sender.ask<Sent>({ op: 'sent' });
    return (other.now - one.now) / (other.next - one.next) / 1_000;
  }

  async close(): Promise<void> {
    await this.#sender.close();
    await this.#receiver.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
