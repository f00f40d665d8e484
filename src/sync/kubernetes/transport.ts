// GET requests to the API server over one shared connection. In: path and query. Out: status and body.
//
// Credentials are looked up for each request (a rotated token or certificate is found by itself), but connections are only made
// anew when the TLS part of them has changed. One HTTP/2 connection carries all watches where the server speaks it.
// Always: whatever goes wrong is a ConnectionFailed; an answer of any status is an answer.

import type { KubeConfig } from '@kubernetes/client-node';
import { Agent, request } from 'undici';

import { ConnectionFailed } from '../errors.ts';

export interface Transport {
  get(path: string, query: Readonly<Record<string, string>>, options: RequestOptions): Promise<ApiResponse>;
  /** Forgets cached credentials: the server did not accept them. */
  renewCredentials(): void;
  /** Breaks what is still open. */
  close(): Promise<void>;
}

export interface RequestOptions {
  readonly accept: string;
  readonly signal: AbortSignal;
  /** The answer is 304, and has no body, where what is asked for still has this etag. */
  readonly ifNoneMatch?: string;
}

export interface ApiResponse {
  readonly status: number;
  /** The Retry-After header, in milliseconds from now; 0 where there is none. */
  readonly retryAfter: number;
  readonly etag: string | undefined;
  /**
   * Calls back with each chunk, in the turn in which it arrives; what that throws ends the response and is passed on. Resolves at
   * the end. Rejects with ConnectionFailed when the connection breaks or is silent for too long.
   */
  read(onChunk: (chunk: Buffer) => void): Promise<void>;
}

export interface Timeouts {
  /** Until an answer begins. */
  readonly headers: number;
  /** Of silence in a body. The API server sends a bookmark about once a minute. */
  readonly silence: number;
}

/** Milliseconds. */
export const defaultTimeouts: Timeouts = Object.freeze({ headers: 30_000, silence: 90_000 });

interface Credentials {
  ca?: string | Buffer;
  cert?: string | Buffer;
  key?: string | Buffer;
  servername?: string;
  rejectUnauthorized?: boolean;
  headers: Record<string, string>;
}

export class KubernetesTransport implements Transport {
  readonly #load: () => KubeConfig;
  readonly #timeouts: Timeouts;
  #config: KubeConfig;
  #agent: Agent | undefined;
  /** What the connections of the agent were made with. */
  #agentKey = '';

  /** @throws what `load` throws. */
  constructor(load: () => KubeConfig, timeouts: Timeouts = defaultTimeouts) {
    this.#load = load;
    this.#config = load();
    this.#timeouts = timeouts;
  }

  renewCredentials(): void {
    try {
      this.#config = this.#load();
    } catch {
      // A file that is being replaced: the old ones are tried until it can be read.
    }
  }

  async get(path: string, query: Readonly<Record<string, string>>, { accept, signal, ifNoneMatch }: RequestOptions): Promise<ApiResponse> {
    const credentials = await this.#credentials();
    const url = `${this.#config.getCurrentCluster()?.server ?? ''}${path}?${new URLSearchParams(query).toString()}`;
    try {
      const { statusCode, headers, body } = await request(url, {
        dispatcher: this.#dispatcher(credentials),
        headers: { accept, 'user-agent': 'caracal', ...(ifNoneMatch === undefined ? {} : { 'if-none-match': ifNoneMatch }), ...credentials.headers },
        signal,
        headersTimeout: this.#timeouts.headers,
        bodyTimeout: this.#timeouts.silence,
      });
      return { status: statusCode, retryAfter: retryAfter(headers['retry-after']), etag: first(headers['etag']), read: (onChunk) => readBody(body, onChunk) };
    } catch (cause) {
      throw connectionFailed(cause);
    }
  }

  async close(): Promise<void> {
    await this.#agent?.destroy();
  }

  async #credentials(): Promise<Credentials> {
    const credentials: Credentials = { headers: {} };
    try {
      await this.#config.applyToHTTPSOptions(credentials);
    } catch (cause) {
      throw new ConnectionFailed(`the credentials can't be read: ${messageOf(cause)}`, { cause });
    }
    // A token file ends with a newline more often than not, which no header may contain.
    const { Authorization: authorization, ...headers } = credentials.headers;
    return { ...credentials, headers: authorization === undefined ? headers : { ...headers, authorization: authorization.trim() } };
  }

  #dispatcher({ ca, cert, key, servername, rejectUnauthorized }: Credentials): Agent {
    const agentKey = [ca, cert, key, servername, rejectUnauthorized].map(String).join('\n');
    if (this.#agent !== undefined && this.#agentKey === agentKey) return this.#agent;
    // Watches that are open end in their own time, on the connections they have.
    void this.#agent?.close().catch(() => {});
    const connect = {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(servername === undefined ? {} : { servername }),
      ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
    };
    this.#agent = new Agent({ allowH2: true, connect });
    this.#agentKey = agentKey;
    return this.#agent;
  }
}

/** Collects a whole body. @throws ConnectionFailed */
export async function readAll(response: ApiResponse): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await response.read((chunk) => chunks.push(chunk));
  return Buffer.concat(chunks);
}

type ResponseBody = Awaited<ReturnType<typeof request>>['body'];

/** Takes chunks as events: an async iterator would hold each one back for some turns of the loop. */
async function readBody(body: ResponseBody, onChunk: (chunk: Buffer) => void): Promise<void> {
  let thrown: { readonly error: unknown } | undefined;
  body.on('data', (chunk: Buffer) => {
    if (thrown !== undefined) return;
    try {
      onChunk(chunk);
    } catch (error) {
      thrown = { error };
      body.destroy();
    }
  });
  const failure = await new Promise<unknown>((resolve) => {
    body.once('end', () => resolve(undefined));
    body.once('error', resolve);
    body.once('close', () => resolve(thrown === undefined ? new Error('the connection was closed') : undefined));
  });
  if (thrown !== undefined) throw thrown.error;
  if (failure !== undefined) throw connectionFailed(failure);
}

function connectionFailed(cause: unknown): ConnectionFailed {
  return new ConnectionFailed(messageOf(cause), { cause });
}

/** Errors of sockets often say nothing but a code, and lists of errors (one per address) not even that. */
function messageOf(cause: unknown): string {
  if (cause instanceof AggregateError) return cause.errors.map(messageOf).join(', ');
  if (!(cause instanceof Error)) return String(cause);
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
  return cause.message === '' ? code : cause.message;
}

/** Seconds, or a date (RFC 9110 10.2.3). */
function retryAfter(header: string | string[] | undefined): number {
  const text = first(header);
  if (text === undefined) return 0;
  const milliseconds = /^\d+$/.test(text.trim()) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : 0;
}

function first(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
