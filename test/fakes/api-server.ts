// An HTTP server on 127.0.0.1 that answers list and watch as a test tells it to, above all in ways in which a real API server
// answers seldom. In: for each collection, answers in the order of its requests. Out: the requests that came.
//
// A request for which no answer is left gets a watch that stays open and says nothing.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

import { waitFor } from '../cluster/harness/wait.ts';

const limit = 10_000;

export interface FakeRequest {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly authorization: string | undefined;
  readonly ifNoneMatch: string | undefined;
}

export type Answer = (response: ServerResponse, request: FakeRequest) => void;

export class FakeApiServer implements AsyncDisposable {
  readonly requests: FakeRequest[] = [];
  readonly #server: Server;
  readonly #answers = new Map<string, Answer[]>();
  readonly #standing = new Map<string, Answer>();

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (incoming, response) => this.#serve(incoming, response));
  }

  static async start(): Promise<FakeApiServer> {
    const server = createServer();
    const fake = new FakeApiServer(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return fake;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the fake API server does not listen');
    return `http://127.0.0.1:${address.port}`;
  }

  /** What the next requests for a collection get, one after the other. */
  answer(path: string, ...answers: Answer[]): void {
    this.#answers.set(path, [...(this.#answers.get(path) ?? []), ...answers]);
  }

  /** What every request for a path gets for which nothing else is left; until it is called again. */
  always(path: string, answer: Answer): void {
    this.#standing.set(path, answer);
  }

  /** How many requests there were for a path. */
  count(path: string): number {
    return this.requests.filter((request) => request.path === path).length;
  }

  /** The request of that number, from 1, for any collection. */
  async request(number: number): Promise<FakeRequest> {
    await waitFor(`request ${number}; there were ${JSON.stringify(this.requests)}`, limit, () => (this.requests.length >= number ? true : undefined));
    const request = this.requests[number - 1];
    if (request === undefined) throw new Error(`there is no request ${number}`);
    return request;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(incoming: IncomingMessage, response: ServerResponse): void {
    const url = new URL(incoming.url ?? '/', this.url);
    const request = { path: url.pathname, query: Object.fromEntries(url.searchParams), authorization: incoming.headers.authorization, ifNoneMatch: incoming.headers['if-none-match'] };
    this.requests.push(request);
    response.on('error', () => {});
    (this.#answers.get(request.path)?.shift() ?? this.#standing.get(request.path) ?? new WatchStream().answer)(response, request);
  }
}

/** A watch that says what the test says, when it says it. */
export class WatchStream {
  #response: ServerResponse | undefined;
  readonly #before: string[] = [];

  constructor(...events: readonly unknown[]) {
    this.send(...events);
  }

  readonly answer: Answer = (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    this.#response = response;
    for (const text of this.#before.splice(0)) response.write(text);
  };

  /** Events in one chunk. */
  send(...events: readonly unknown[]): void {
    if (events.length > 0) this.write(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  }

  /** Bytes as they are, in a chunk of their own. */
  write(bytes: string | Buffer): void {
    if (this.#response === undefined) this.#before.push(bytes.toString());
    else this.#response.write(bytes);
  }

  /** As a server that has waited for timeoutSeconds. */
  end(): void {
    this.#response?.end();
  }

  /** As a connection that breaks. */
  reset(): void {
    this.#response?.destroy();
  }
}

/** A refusal as the API writes it. */
export const refusal = (code: number, reason: string, extra: { readonly message?: string; readonly headers?: Record<string, string>; readonly details?: unknown } = {}): Answer => {
  const { message = `${reason} by the fake`, headers = {}, details } = extra;
  return (response) => {
    response.writeHead(code, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(statusObject(code, reason, message, details)));
  };
};

export const statusObject = (code: number, reason: string, message = '', details?: unknown): unknown => ({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message, details });

export const errorEvent = (code: number, reason: string, details?: unknown): unknown => ({ type: 'ERROR', object: statusObject(code, reason, '', details) });

/** One page of a list. */
export const page = (kind: string, resourceVersion: string, items: readonly unknown[], continueToken?: string): Answer => body({
  kind,
  apiVersion: 'v1',
  metadata: { resourceVersion, ...(continueToken === undefined ? {} : { continue: continueToken }) },
  items,
});

/** Any document, or text as it is; 304 to who has seen it, where it has an etag. */
export const body = (content: unknown, etag?: string): Answer => (response, request) => {
  const headers = { 'content-type': 'application/json', ...(etag === undefined ? {} : { etag }) };
  if (etag !== undefined && request.ifNoneMatch === etag) {
    response.writeHead(304, headers).end();
    return;
  }
  response.writeHead(200, headers);
  response.end(typeof content === 'string' ? content : JSON.stringify(content));
};

/** What /apis answers: resources by group and version, those that are stale by name. */
export const aggregatedDiscovery = (served: Readonly<Record<string, readonly string[]>>, stale: readonly string[] = []): unknown => ({
  kind: 'APIGroupDiscoveryList',
  apiVersion: 'apidiscovery.k8s.io/v2',
  metadata: {},
  items: Object.entries(Object.groupBy([...Object.keys(served), ...stale], (apiVersion) => apiVersion.split('/')[0] ?? '')).map(([name, versions = []]) => ({
    metadata: { name },
    versions: versions.map((apiVersion) => ({
      version: apiVersion.split('/')[1],
      freshness: stale.includes(apiVersion) ? 'Stale' : 'Current',
      ...(served[apiVersion] === undefined ? {} : { resources: served[apiVersion].map((resource) => ({ resource, scope: 'Cluster', verbs: ['list', 'watch'] })) }),
    })),
  })),
});

/** What /apis/<group>/<version> answers. */
export const resourceList = (groupVersion: string, plurals: readonly string[]): unknown => ({
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion,
  resources: plurals.flatMap((name) => [{ name, verbs: ['list', 'watch'] }, { name: `${name}/status`, verbs: ['get'] }]),
});

/** Takes the request and says nothing at all. */
export const silence: Answer = () => {};

export const bookmark = (resourceVersion: string, endsInitialList = false): unknown => ({
  type: 'BOOKMARK',
  object: { kind: 'Namespace', metadata: { resourceVersion, ...(endsInitialList ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}) } },
});
