// The program inside a namespace behind PodCrowd: "send" sweeps over all addresses again and again, "receive" remembers for each when
// the first packet that arrived was sent. One JSON document a line on standard output: [number of address, microseconds].

import { createSocket } from 'node:dgram';

const PACKET_BYTES = 10;
const [role, port = '', ...addresses] = process.argv.slice(2);

process.stdin.on('end', () => process.exit(0)).resume();

function send(): void {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const sockets = addresses.map((address) => {
    const socket = createSocket('udp4');
    socket.on('error', () => {});
    socket.connect(Number(port), address);
    return socket;
  });
  const sweep = (): void => {
    for (const [i, socket] of sockets.entries()) {
      const packet = Buffer.allocUnsafe(PACKET_BYTES);
      packet.writeUInt16BE(i, 0);
      packet.writeDoubleBE(Number(process.hrtime.bigint()) / 1_000, 2);
      socket.send(packet, () => {});
    }
    Atomics.wait(cell, 0, 0, 1);
    setImmediate(sweep);
  };
  // All sockets are connected in the next turn.
  setTimeout(sweep, 100);
}

function receive(): void {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 16 << 20 });
  const known = new Set<number>();
  socket.on('message', (message) => {
    if (message.length !== PACKET_BYTES) return;
    const i = message.readUInt16BE(0);
    if (known.has(i)) return;
    known.add(i);
    process.stdout.write(`${JSON.stringify([i, message.readDoubleBE(2)])}\n`);
  });
  socket.bind(Number(port), () => process.stdout.write('"listening"\n'));
}

if (role === 'send') send();
else receive();
