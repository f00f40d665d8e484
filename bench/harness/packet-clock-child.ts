// The program inside a namespace behind PacketClock: "send" or "receive", told what by its arguments, asked over standard input.
//
// A packet holds its number and when it was sent, in microseconds of the clock that all processes of the machine share. Sending is
// synchronous: the loop sleeps between two packets by waiting for a memory cell that nobody wakes, which is exact to some 60 µs
// where timers of the event loop are not finer than a millisecond.

import { createSocket } from 'node:dgram';
import { createInterface } from 'node:readline';

const PACKET_BYTES = 12;
/** How many packets are remembered; four seconds at 4 kHz. */
const RING = 16_384;

const [role, address = '', port = '', interval = ''] = process.argv.slice(2);

function now(): number {
  return Number(process.hrtime.bigint()) / 1_000;
}

function answer(id: number, value: unknown): void {
  process.stdout.write(`${JSON.stringify({ id, value })}\n`);
}

interface Request {
  readonly id: number;
  readonly op: 'ping' | 'until' | 'sent' | 'last' | 'arrived';
  readonly passed?: boolean;
  readonly since?: number;
  readonly holdMicros?: number;
  readonly number?: number;
}

function onRequest(serve: (request: Request) => void): void {
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    const request = JSON.parse(line) as Request;
    if (request.op === 'ping') answer(request.id, true);
    else serve(request);
  });
  lines.on('close', () => process.exit(0));
}

function send(): void {
  const socket = createSocket('udp4');
  const sentAt = new Float64Array(RING);
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const intervalMs = Number(interval) / 1_000;
  let number = 0;
  const tick = (): void => {
    const packet = Buffer.allocUnsafe(PACKET_BYTES);
    const at = now();
    sentAt[number % RING] = at;
    packet.writeUInt32BE(number, 0);
    packet.writeDoubleBE(at, 4);
    number += 1;
    socket.send(packet, () => {});
    Atomics.wait(cell, 0, 0, intervalMs);
    setImmediate(tick);
  };
  socket.on('error', () => {});
  socket.connect(Number(port), address, tick);
  onRequest(({ id, number: asked = -1 }) => answer(id, { at: asked < number && asked >= number - RING ? sentAt[asked % RING] : undefined, next: number, now: now() }));
}

function receive(): void {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 8 << 20 });
  let arrived = 0;
  let last = -1;
  let lastSentAt = 0;
  let lastArrival = now();
  /** When the first packet of the present unbroken row was sent. */
  let rowSince = 0;
  let waiting: { readonly id: number; readonly since: number; readonly holdMicros: number } | undefined;
  socket.on('message', (message) => {
    if (message.length !== PACKET_BYTES) return;
    const number = message.readUInt32BE(0);
    lastSentAt = message.readDoubleBE(4);
    if (number !== last + 1) rowSince = lastSentAt;
    last = number;
    arrived += 1;
    lastArrival = now();
    if (waiting === undefined || lastSentAt - Math.max(rowSince, waiting.since) < waiting.holdMicros) return;
    answer(waiting.id, Math.max(rowSince, waiting.since));
    waiting = undefined;
  });
  /** Nothing has come for that long, and nothing lies in the socket. */
  const untilSilent = (id: number, holdMicros: number, isSure: boolean): void => {
    const silence = now() - lastArrival;
    if (silence < holdMicros) setTimeout(untilSilent, Math.ceil((holdMicros - silence) / 1_000), id, holdMicros, false);
    else if (!isSure) setImmediate(() => setImmediate(untilSilent, id, holdMicros, true));
    else answer(id, last);
  };
  onRequest(({ id, op, passed, since = 0, holdMicros = 20_000 }) => {
    if (op === 'last') setImmediate(() => setImmediate(() => answer(id, last)));
    else if (op === 'arrived') setImmediate(() => setImmediate(() => answer(id, { arrived, missing: last + 1 - arrived })));
    else if (passed === true) waiting = { id, since, holdMicros };
    else untilSilent(id, holdMicros, false);
  });
  socket.bind(Number(port));
}

if (role === 'send') send();
else receive();
