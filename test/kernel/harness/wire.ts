// One end of a wire: a program inside a namespace that sends any IPv4 packet, whatever its source, and sees what arrives. Unlike a
// probe (probe.ts) it has no sockets of its own to answer with: the namespace's kernel answers for it.

import { readLines } from '../../../src/dataplane/line-reader.ts';
import type { Namespace } from './namespace.ts';
import { sightingOf, wireProtocols } from './wire-packet.ts';

const EPERM = 1;

export class Wire {
  readonly namespace: Namespace;
  /** Tokens of packets that came in by an interface, whatever became of them then. */
  readonly entered = new Set<number>();
  /** Tokens of packets that were given to a process here. */
  readonly delivered = new Set<number>();
  /** Tokens of packets whose answer came in by an interface; was given to a process here. */
  readonly answersEntered = new Set<number>();
  readonly answersDelivered = new Set<number>();
  readonly #child: ReturnType<Namespace['spawn']>;
  readonly #sending: { resolve(outcome: 'sent' | 'dropped'): void; reject(error: Error): void }[] = [];
  readonly #ended: Promise<void>;
  #errors = '';

  readonly #ready = Promise.withResolvers<void>();

  private constructor(namespace: Namespace) {
    this.namespace = namespace;
    this.#child = namespace.spawn('perl', [new URL('wire-child.pl', import.meta.url).pathname, ...wireProtocols.map(String)]);
    readLines(this.#child.stdout, (line) => this.#read(line));
    readLines(this.#child.stderr, (line) => {
      this.#errors += `${line}\n`;
    });
    this.#child.stdin.on('error', () => {});
    this.#ended = new Promise((resolve) => {
      const end = (): void => {
        const error = new Error(`the wire in ${namespace.name} ended: ${this.#errors}`);
        for (const { reject } of [this.#ready, ...this.#sending]) reject(error);
        resolve();
      };
      this.#child.once('close', end);
      this.#child.once('error', end);
    });
  }

  static async start(namespace: Namespace): Promise<Wire> {
    const wire = new Wire(namespace);
    await wire.#ready.promise;
    return wire;
  }

  /** Resolves when the packet is on its way, or was dropped before it left (the OUTPUT hook). */
  send(bytes: Buffer, interfaceName: string): Promise<'sent' | 'dropped'> {
    return new Promise((resolve, reject) => {
      this.#sending.push({ resolve, reject });
      this.#child.stdin.write(`${interfaceName} ${bytes.toString('hex')}\n`);
    });
  }

  async close(): Promise<void> {
    this.#child.stdin.end();
    await this.#ended;
  }

  #read(line: string): void {
    const [what, rest = ''] = line.split(' ');
    if (what === 'ready') return this.#ready.resolve();
    if (what === 'sent') {
      const sending = this.#sending.shift();
      const error = Number(rest);
      if (error === 0 || error === EPERM) sending?.resolve(error === 0 ? 'sent' : 'dropped');
      else sending?.reject(new Error(`a packet could not be sent in ${this.namespace.name}: error ${error}`));
      return;
    }
    const sighting = sightingOf(Buffer.from(rest, 'hex'));
    if (sighting === undefined) return;
    const isOwn = what === 'own';
    const seen = sighting.kind === 'packet' ? (isOwn ? this.delivered : this.entered) : isOwn ? this.answersDelivered : this.answersEntered;
    seen.add(sighting.token);
  }
}
