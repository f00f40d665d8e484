// IPv4 packets as bytes: the packet that a judge speaks about, and what was seen of it or of an answer to it. Each packet carries a
// number of its own, its token: as the identification of its IP header, in its sequence number, as the identifier of an echo. Whoever
// answers quotes one of them.

import type { Packet } from '../../../src/model/packet.ts';

const ICMP = 1;
const TCP = 6;
const UDP = 17;
const GRE = 47;
const SCTP = 132;
const UDP_LITE = 136;
const SYN = 0x02;
const FIN = 0x01;
const RST = 0x04;
const ECHO_REPLY = 0;
const UNREACHABLE = 3;
const ECHO = 8;
const INIT = 1;
/** RFC 3692: what a made-up unreachable message says of the packet that it is about. No real one does. */
const EXPERIMENTAL = 253;
/** Sequence numbers of echoes that are packets of their own, and of those that are answered (or answers). */
const SINGLE = 2;
const ASKED = 1;
/** Type of service of packets that connection tracking is to leave alone. */
export const UNTRACKED_TOS = 0x04;

/** Of these the kernel at the destination says that nobody is there, or that it is. */
export const answeredProtocols: ReadonlySet<number> = new Set([ICMP, TCP, UDP]);
/** All that can be made, and so must be listened for. */
export const wireProtocols: readonly number[] = [ICMP, 4, TCP, UDP, GRE, SCTP, UDP_LITE];

/**
 * The first packet of a connection: SYN, INIT, ICMP. With connection "invalid" (TCP only) it has flags that cannot be together.
 * `flow`: the token of an earlier echo whose connection this one belongs to.
 */
export function bytesOf(packet: Packet, token: number, flow = token): Buffer {
  const payload = payloadOf(packet, token, flow);
  const header = Buffer.alloc(20);
  header.writeUInt8(0x45, 0);
  if (packet.connection === 'untracked') header.writeUInt8(UNTRACKED_TOS, 1);
  header.writeUInt16BE(20 + payload.length, 2);
  header.writeUInt16BE(token, 4);
  header.writeUInt8(64, 8);
  header.writeUInt8(packet.protocol, 9);
  // The checksum is the sending kernel's work.
  addressBytes(packet.source).copy(header, 12);
  addressBytes(packet.destination).copy(header, 16);
  return Buffer.concat([header, payload]);
}

export interface Sighting {
  /** An answer carries the token of what it answers. */
  readonly kind: 'packet' | 'answer';
  readonly token: number;
}

/** Undefined for what is neither. */
export function sightingOf(bytes: Buffer): Sighting | undefined {
  const payload = bytes.subarray((bytes.readUInt8(0) & 15) * 4);
  const protocol = bytes.readUInt8(9);
  if (!wireProtocols.includes(protocol)) return undefined;
  // It acknowledges the sequence number, and what flags count for.
  if (protocol === TCP && (payload.readUInt8(13) & RST) !== 0) return { kind: 'answer', token: payload.readUInt16BE(8) };
  if (protocol === ICMP) {
    const type = payload.readUInt8(0);
    if (type === ECHO_REPLY && payload.readUInt16BE(6) === ASKED) return { kind: 'answer', token: payload.readUInt16BE(4) };
    // The header of what could not be delivered follows.
    if (type === UNREACHABLE && payload.readUInt8(8 + 9) !== EXPERIMENTAL) return { kind: 'answer', token: payload.readUInt16BE(8 + 4) };
  }
  // A kernel that speaks SCTP answers with an ABORT.
  if (protocol === SCTP && payload.readUInt8(12) !== INIT) return undefined;
  return { kind: 'packet', token: bytes.readUInt16BE(4) };
}

function payloadOf(packet: Packet, token: number, flow: number): Buffer {
  switch (packet.protocol) {
    case ICMP:
      return withChecksum(icmp(packet, flow), 2);
    case TCP: {
      const flags = packet.connection === 'invalid' ? SYN | FIN : SYN;
      return withChecksum(words([...portsOf(packet), token, 0, 0, 0, (5 << 12) | flags, 1024, 0, 0]), 16, packet);
    }
    case UDP:
    case UDP_LITE:
      return withChecksum(words([...portsOf(packet), 12, 0, 0x6361, 0x6c69]), 6, packet);
    case SCTP:
      return init(packet, token);
    case GRE:
      return words([0, 0x0800, 0, 0]);
    default:
      return words([0, 0, 0, 0]);
  }
}

function icmp({ icmp: { type, code } = { type: ECHO, code: 0 }, source, destination }: Packet, flow: number): Buffer {
  if (type === ECHO || type === ECHO_REPLY) return words([(type << 8) | code, 0, flow, type === ECHO ? ASKED : SINGLE]);
  const about = words([0x4500, 28, 0, 0, (64 << 8) | EXPERIMENTAL, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  addressBytes(destination).copy(about, 12);
  addressBytes(source).copy(about, 16);
  return Buffer.concat([words([(type << 8) | code, 0, 0, 0]), about]);
}

/** RFC 9260: common header and an INIT chunk. */
function init(packet: Packet, token: number): Buffer {
  const bytes = words([...portsOf(packet), 0, 0, 0, 0, INIT << 8, 20, 0, token, 0, 0xffff, 1, 1, 0, token]);
  bytes.writeUInt32LE(crc32c(bytes), 8);
  return bytes;
}

function portsOf({ sourcePort = 0, destinationPort = 0 }: Packet): readonly [number, number] {
  return [sourcePort, destinationPort];
}

function words(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(2 * values.length);
  for (const [i, value] of values.entries()) bytes.writeUInt16BE(value, 2 * i);
  return bytes;
}

/**
 * RFC 1071, with the pseudo header where a packet is given. Connection tracking calls a packet with a wrong one invalid; that of UDP-Lite
 * it checks as if it were UDP's (nf_conntrack_proto_udp.c), so to it a right one is wrong.
 */
function withChecksum(bytes: Buffer, offset: number, packet?: Packet): Buffer {
  const protocol = packet?.protocol === UDP_LITE ? UDP : (packet?.protocol ?? 0);
  const pseudo = packet === undefined ? Buffer.alloc(0) : Buffer.concat([addressBytes(packet.source), addressBytes(packet.destination), words([protocol, bytes.length])]);
  const all = Buffer.concat([pseudo, bytes]);
  let sum = 0;
  for (let i = 0; i < all.length; i += 2) sum += all.readUInt16BE(i);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  bytes.writeUInt16BE(~sum & 0xffff, offset);
  return bytes;
}

function crc32c(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}

function addressBytes(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number));
}
