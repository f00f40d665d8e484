// The program inside a namespace: reads requests (probe-protocol.ts) from its standard input, and ends with it.

import type { Socket as DatagramSocket } from 'node:dgram';
import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { AttemptAnswer, ProbeReply, ProbeRequest } from './probe-protocol.ts';

type AttemptRequest = Extract<ProbeRequest, { op: 'attempt' }>;
type StreamRequest = Extract<ProbeRequest, { op: 'stream' }>;

interface OpenAttempt {
  answer: AttemptAnswer | undefined;
  readonly started: number;
  close(): void;
}

const attempts = new Map<string, OpenAttempt>();
/** Tokens of the UDP packets that arrived, the last ten thousand. */
const seen = new Set<string>();
const streams = new Map<string, { readonly sent: [number, number][]; readonly arrived: number[]; readonly timer?: NodeJS.Timeout; close(): void }>();

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line) as ProbeRequest & { id: number };
  serve(request).then(
    (answer) => reply({ id: request.id, answer }),
    (error: unknown) => reply({ id: request.id, error: error instanceof Error ? error.message : String(error) }),
  );
}
process.exit(0);

function reply(document: ProbeReply): void {
  process.stdout.write(`${JSON.stringify(document)}\n`);
}

async function serve(request: ProbeRequest): Promise<unknown> {
  switch (request.op) {
    case 'ping':
      return true;
    case 'wait':
      return sleep(request.milliseconds, true);
    case 'listen':
      return request.protocol === 'tcp' ? listenTcp(request.port) : listenUdp(request.port);
    case 'attempt':
      return attempt(request);
    case 'conclude': {
      await settle();
      const open = attempts.get(request.token);
      attempts.delete(request.token);
      open?.close();
      return open?.answer ?? { how: 'silent', milliseconds: elapsed(open?.started ?? performance.now()) };
    }
    case 'seen':
      await settle();
      return seen.has(request.token);
    case 'stream':
      return stream(request);
    case 'halt':
      clearInterval(streams.get(request.stream)?.timer);
      return true;
    case 'collect':
      return collect(request.stream, request.port);
    case 'sent':
      return streams.get(request.stream)?.sent.filter(([, at]) => at >= request.since) ?? [];
    case 'arrived':
      return streams.get(request.stream)?.arrived ?? [];
    case 'stop':
      streams.get(request.stream)?.close();
      streams.delete(request.stream);
      return true;
    default:
      throw new Error(`unknown request ${JSON.stringify(request satisfies never)}`);
  }
}

/** Lets the sockets be polled: a timer that fires late comes before what has long been waiting in them. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await nextTurn();
}

function listenTcp(port: number): Promise<true> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => void socket.write(data));
    socket.on('end', () => socket.end());
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: '::', backlog: 1024 }, () => resolve(true));
  });
}

function listenUdp(port: number): Promise<true> {
  // A collector may take the port over for a while: the socket bound last gets the packets.
  const socket = createSocket({ type: 'udp6', reuseAddr: true, recvBufferSize: 4 << 20 });
  socket.on('message', (message, sender) => {
    seen.add(message.toString());
    if (seen.size > 10_000) for (const oldest of seen) {
      seen.delete(oldest);
      break;
    }
    socket.send(message, sender.port, sender.address, () => {});
  });
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, '::', () => resolve(true));
  });
}

async function attempt(request: AttemptRequest): Promise<AttemptAnswer> {
  const started = performance.now();
  const { promise, resolve } = Promise.withResolvers<void>();
  const open: OpenAttempt = { answer: undefined, started, close: () => {} };
  const conclude = (how: 'answered' | 'refused', code?: string): void => {
    open.answer ??= { how, milliseconds: elapsed(started), ...(code === undefined ? {} : { code }) };
    resolve();
  };
  attempts.set(request.token, open);
  open.close = request.protocol === 'tcp' ? attemptTcp(request, conclude) : attemptUdp(request, conclude);
  const timer = setTimeout(resolve, request.timeoutMs);
  await promise;
  clearTimeout(timer);
  // What is silent now stays open: it is concluded when the other side was asked.
  if (open.answer === undefined) return { how: 'silent', milliseconds: elapsed(started) };
  open.close();
  attempts.delete(request.token);
  return open.answer;
}

function attemptTcp(request: AttemptRequest, conclude: (how: 'answered' | 'refused', code?: string) => void): () => void {
  const socket = connect({
    host: request.address,
    port: request.port,
    ...(request.sourceAddress === undefined ? {} : { localAddress: request.sourceAddress }),
    ...(request.sourcePort === undefined ? {} : { localPort: request.sourcePort }),
  });
  socket.once('connect', () => conclude('answered'));
  socket.on('error', (error: NodeJS.ErrnoException) => conclude('refused', error.code));
  // A reset instead of the usual farewell leaves no TIME_WAIT, and works through a firewall that has just closed.
  return () => void (socket.connecting ? socket.destroy() : socket.resetAndDestroy());
}

function attemptUdp(request: AttemptRequest, conclude: (how: 'answered' | 'refused', code?: string) => void): () => void {
  const socket = createSocket(request.address.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (message) => {
    if (message.toString() === request.token) conclude('answered');
  });
  socket.on('error', (error: NodeJS.ErrnoException) => conclude('refused', error.code));
  // Connected, so that ICMP errors come back as errors.
  const send = (): void => {
    socket.connect(request.port, request.address, () => {
      socket.send(request.token, (error) => {
        if (error !== null) conclude('refused', (error as NodeJS.ErrnoException).code);
      });
    });
  };
  if (request.sourceAddress === undefined && request.sourcePort === undefined) send();
  else socket.bind({ port: request.sourcePort ?? 0, ...(request.sourceAddress === undefined ? {} : { address: request.sourceAddress }) }, send);
  return () => socket.close();
}

function stream(request: StreamRequest): Promise<true> {
  const socket = createSocket(request.address.includes(':') ? 'udp6' : 'udp4');
  socket.on('error', () => {});
  const sent: [number, number][] = [];
  let number = 0;
  const packet = Buffer.alloc(4 + 36);
  packet.write(request.stream, 4);
  return new Promise((resolve) => {
    socket.connect(request.port, request.address, () => {
      const timer = setInterval(() => {
        packet.writeUInt32BE(number);
        sent.push([number, Number(process.hrtime.bigint() / 1_000n)]);
        if (sent.length > 200_000) sent.splice(0, 100_000);
        number += 1;
        socket.send(Buffer.from(packet), () => {});
      }, request.intervalMs);
      streams.set(request.stream, { sent, arrived: [], timer, close: () => closeStream(socket, timer) });
      resolve(true);
    });
  });
}

function closeStream(socket: DatagramSocket, timer: NodeJS.Timeout | undefined): void {
  clearInterval(timer);
  socket.close();
}

function collect(name: string, port: number): Promise<true> {
  const socket = createSocket({ type: 'udp6', reuseAddr: true, recvBufferSize: 4 << 20 });
  const arrived: number[] = [];
  socket.on('message', (message) => {
    if (message.length !== 4 + 36 || message.toString('utf8', 4) !== name) return;
    arrived.push(message.readUInt32BE());
    if (arrived.length > 200_000) arrived.splice(0, 100_000);
  });
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, '::', () => {
      streams.set(name, { sent: [], arrived, close: () => closeStream(socket, undefined) });
      resolve(true);
    });
  });
}

function elapsed(since: number): number {
  return Math.round((performance.now() - since) * 1_000) / 1_000;
}
