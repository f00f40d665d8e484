// A small HTTP server for probes and metrics: GET on a few fixed paths, plain text.
//
// In: host, port, routes. Out: answers on every address that the host stands for ("localhost": 127.0.0.1 and ::1, "" : all).
// Always holds: listening never fails the agent; an address in use is tried again each second, with one warning, until closed.
// An address that the machine does not have (::1 without IPv6) is left out where another one stands for the same host.

import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Clock, Timer } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly contentType?: string;
}

export type Route = () => Answer | Promise<Answer>;

export interface HttpServerOptions {
  /** For log lines: "health", "metrics". */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly routes: Readonly<Record<string, Route>>;
  readonly log: Logger;
  readonly clock: Clock;
}

export interface HttpServer {
  /** Addresses it listens on just now. */
  readonly listening: readonly { readonly address: string; readonly port: number }[];
  close(): Promise<void>;
}

const RETRY_MS = 1000;
/** The machine has no such address or no such family. */
const NO_SUCH_ADDRESS = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT']);

function addressesOf(host: string): readonly (string | undefined)[] {
  return host === 'localhost' ? ['127.0.0.1', '::1'] : [host === '' ? undefined : host];
}

export function startHttpServer(options: HttpServerOptions): HttpServer {
  const listeners = addressesOf(options.host).map((address, index, all) => new Listener(address, options, index > 0 && all.length > 1));
  return Object.freeze({
    get listening() {
      return listeners.flatMap((listener) => listener.address);
    },
    close: async () => {
      await Promise.all(listeners.map((listener) => listener.close()));
    },
  });
}

/** One address. */
class Listener {
  readonly #options: HttpServerOptions;
  readonly #host: string | undefined;
  readonly #server: Server;
  #retry: Timer | undefined;
  #warned = false;
  #closed = false;

  constructor(host: string | undefined, options: HttpServerOptions, optional: boolean) {
    this.#host = host;
    this.#options = options;
    const { name, port, log, clock } = options;
    this.#server = createServer((request, response) => void answer(request, response, options));
    // Probes and scrapes come every few seconds; a client that keeps a connection without asking is not worth a descriptor.
    this.#server.headersTimeout = 10_000;
    this.#server.on('listening', () => {
      const at = this.#warned ? 'info' : 'debug';
      log[at]({ server: name, addresses: this.address }, `${name} server listens`);
      this.#warned = false;
    });
    this.#server.on('error', (error: NodeJS.ErrnoException) => {
      if (this.#closed || this.#server.listening) return;
      if (optional && NO_SUCH_ADDRESS.has(error.code ?? '')) return;
      if (!this.#warned) {
        const where = `${host ?? '*'}:${port}`;
        log.warn({ server: name, error }, `${name} server cannot listen on ${where}; trying again each second. Free the port or configure another`);
      }
      this.#warned = true;
      this.#retry = clock.after(RETRY_MS, () => this.#listen());
    });
    this.#listen();
  }

  get address(): { address: string; port: number }[] {
    const bound = this.#server.address();
    return bound === null || typeof bound === 'string' ? [] : [{ address: bound.address, port: bound.port }];
  }

  #listen(): void {
    this.#server.listen({ port: this.#options.port, ...(this.#host === undefined ? {} : { host: this.#host }) });
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#retry?.cancel();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }
}

async function answer(request: IncomingMessage, response: ServerResponse, { routes, name, log }: HttpServerOptions): Promise<void> {
  const send = ({ status, body, contentType = 'text/plain; charset=utf-8' }: Answer): void => {
    response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body), 'cache-control': 'no-store' });
    response.end(request.method === 'HEAD' ? undefined : body);
  };
  const [path = ''] = (request.url ?? '').split('?');
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (route === undefined) return send({ status: 404, body: `${Object.keys(routes).join('\n')}\n` });
  if (request.method !== 'GET' && request.method !== 'HEAD') return send({ status: 405, body: 'GET or HEAD\n' });
  try {
    send(await route());
  } catch (error) {
    log.error({ server: name, path, error }, `${name} server could not answer`);
    send({ status: 500, body: 'internal error; see the log\n' });
  }
}
