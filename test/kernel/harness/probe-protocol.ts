// What a probe and the program inside the namespace say to each other: one JSON document a line.

export type ProbeRequest =
  | { readonly op: 'ping' }
  | { readonly op: 'wait'; readonly milliseconds: number }
  | { readonly op: 'listen'; readonly protocol: 'tcp' | 'udp'; readonly port: number }
  /** Answered when the outcome is known or the time is over. */
  | {
    readonly op: 'attempt'; readonly token: string; readonly protocol: 'tcp' | 'udp'; readonly address: string; readonly port: number;
    readonly sourceAddress?: string; readonly sourcePort?: number; readonly timeoutMs: number;
  }
  /** The last word on an attempt that was silent. */
  | { readonly op: 'conclude'; readonly token: string }
  /** Whether a UDP packet with this token has arrived here. */
  | { readonly op: 'seen'; readonly token: string }
  | { readonly op: 'stream'; readonly stream: string; readonly address: string; readonly port: number; readonly intervalMs: number }
  /** Ends the sending; what was sent stays known. */
  | { readonly op: 'halt'; readonly stream: string }
  | { readonly op: 'collect'; readonly stream: string; readonly port: number }
  /** [number, microseconds] of each packet sent. */
  | { readonly op: 'sent'; readonly stream: string; readonly since: number }
  /** Numbers of the packets that arrived. */
  | { readonly op: 'arrived'; readonly stream: string }
  | { readonly op: 'stop'; readonly stream: string };

export interface ProbeReply {
  readonly id: number;
  readonly answer?: unknown;
  readonly error?: string;
}

export interface AttemptAnswer {
  readonly how: 'answered' | 'refused' | 'silent';
  readonly code?: string;
  readonly milliseconds: number;
}
