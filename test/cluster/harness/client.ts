// A small JSON client of the Kubernetes API for tests, on node:https alone. It shares nothing with
// src/, so that a mistake there is not repeated by what judges it.
//
// In: manifests; those of namespaced kinds carry metadata.namespace. A manifest with nothing but a
// name stands for the object it names. Out: objects as the server has them.
// A status of 400 and above throws ApiError; a server that says nothing for 30 s throws too.

import type { IncomingMessage } from "node:http";
import { Agent, request as httpsRequest } from "node:https";
import { createInterface } from "node:readline";

import { within } from "./wait.ts";

export interface Metadata {
  readonly name?: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly resourceVersion?: string;
  readonly uid?: string;
  readonly deletionTimestamp?: string;
  readonly [field: string]: unknown;
}

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
  readonly [field: string]: unknown;
}

export interface KubeList {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly KubeObject[];
}

/** Which collection: a kind, in one namespace or in all. */
export interface Collection {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
}

export interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  /** For ERROR a Status: its `code` and `message` are what the server objects to. */
  readonly object: KubeObject & { readonly code?: number; readonly message?: string };
}

export interface PatchOptions {
  readonly type?: "merge" | "strategic" | "json";
  readonly subresource?: string;
}

export interface Credentials {
  readonly url: string;
  readonly ca: string;
  readonly token?: string;
}

export type Query = Readonly<Record<string, string | number | boolean>>;

export class ApiError extends Error {
  readonly code = "E_API";
  /** HTTP status. */
  readonly status: number;
  constructor(status: number, request: string, message: string) {
    super(`${request}: ${status} ${message}`);
    this.name = "ApiError";
    this.status = status;
  }
}

const REPLY_LIMIT_MS = 30_000;

const PATCH_TYPES = {
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  json: "application/json-patch+json",
} as const;

const plural = (kind: string): string => {
  const word = kind.toLowerCase();
  if (word.endsWith("y")) return `${word.slice(0, -1)}ies`;
  return word.endsWith("s") ? `${word}es` : `${word}s`;
};

export const collectionPath = ({ apiVersion, kind, namespace }: Collection): string => {
  const group = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return `${group}${namespace === undefined ? "" : `/namespaces/${namespace}`}/${plural(kind)}`;
};

const collectionOf = ({ apiVersion, kind, metadata: { namespace } }: KubeObject): Collection =>
  namespace === undefined ? { apiVersion, kind } : { apiVersion, kind, namespace };

export const objectPath = (object: KubeObject, subresource?: string): string => {
  const name = object.metadata.name;
  if (name === undefined) throw new Error(`a ${object.kind} without metadata.name has no path`);
  return `${collectionPath(collectionOf(object))}/${name}${subresource === undefined ? "" : `/${subresource}`}`;
};

const withQuery = (path: string, query: Query): string => {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) search.set(key, String(value));
  return search.size === 0 ? path : `${path}?${search.toString()}`;
};

const textOf = async (response: IncomingMessage): Promise<string> => {
  let text = "";
  for await (const piece of response.setEncoding("utf8")) text += String(piece);
  return text;
};

const messageIn = (text: string): string => {
  try {
    const status: unknown = JSON.parse(text);
    if (typeof status === "object" && status !== null && "message" in status) return String(status.message);
  } catch {
    // Not every refusal is a Status object: what was said is the message then.
  }
  return text.trim();
};

export class ApiClient {
  readonly #credentials: Credentials;
  readonly #agent: Agent;

  constructor(credentials: Credentials, agent = new Agent({ keepAlive: true })) {
    this.#credentials = credentials;
    this.#agent = agent;
  }

  /** The same server and connections, somebody else's token. */
  as(token: string): ApiClient {
    return new ApiClient({ ...this.#credentials, token }, this.#agent);
  }

  create(object: KubeObject): Promise<KubeObject> {
    return this.request("POST", collectionPath(collectionOf(object)), object);
  }

  replace(object: KubeObject, subresource?: string): Promise<KubeObject> {
    return this.request("PUT", objectPath(object, subresource), object);
  }

  patch(object: KubeObject, body: unknown, { type = "merge", subresource }: PatchOptions = {}): Promise<KubeObject> {
    return this.request("PATCH", objectPath(object, subresource), body, PATCH_TYPES[type]);
  }

  /** With 0 seconds of grace a pod is gone at once; with more it stays, terminating, until deleted again. */
  async delete(object: KubeObject, graceSeconds?: number): Promise<void> {
    const query = graceSeconds === undefined ? {} : { gracePeriodSeconds: graceSeconds };
    await this.request("DELETE", withQuery(objectPath(object), query));
  }

  async deleteAll(collection: Collection): Promise<void> {
    await this.request("DELETE", withQuery(collectionPath(collection), { gracePeriodSeconds: 0 }));
  }

  get(object: KubeObject): Promise<KubeObject> {
    return this.request("GET", objectPath(object));
  }

  list(collection: Collection, query: Query = {}): Promise<KubeList> {
    return this.request("GET", withQuery(collectionPath(collection), query));
  }

  /** Events as they come, until the server ends the stream or `signal` aborts it. */
  async *watch(collection: Collection, query: Query = {}, signal?: AbortSignal): AsyncGenerator<WatchEvent, void, undefined> {
    const path = withQuery(collectionPath(collection), { ...query, watch: true });
    const response = await this.#send("GET", path, undefined, undefined, signal);
    const lines = createInterface({ input: response, crlfDelay: Infinity });
    // readline does not report an aborted or broken stream: it would look like the server's own end.
    const failed = new Promise<never>((_resolve, reject) => response.once("error", reject));
    failed.catch(() => undefined);
    const iterator = lines[Symbol.asyncIterator]();
    try {
      for (;;) {
        const line = await Promise.race([iterator.next(), failed]);
        if (line.done) return;
        yield JSON.parse(line.value) as WatchEvent;
      }
    } finally {
      lines.close();
      response.destroy();
    }
  }

  /** Any request whose answer is one JSON document; `path` with its query. */
  async request<T = KubeObject>(method: string, path: string, body?: unknown, contentType?: string): Promise<T> {
    const response = await this.#send(method, path, body, contentType);
    return JSON.parse(await within(`the rest of the answer to ${method} ${path}`, REPLY_LIMIT_MS, textOf(response))) as T;
  }

  /** The HTTP status alone and nothing thrown for it, for questions like readiness. */
  async status(path: string): Promise<number> {
    try {
      (await this.#send("GET", path)).resume();
      return 200;
    } catch (error) {
      if (error instanceof ApiError) return error.status;
      throw error;
    }
  }

  /** Closes idle and busy connections; the next request opens a new one. */
  disconnect(): void {
    this.#agent.destroy();
  }

  #send(method: string, path: string, body?: unknown, contentType?: string, signal?: AbortSignal): Promise<IncomingMessage> {
    const { url, ca, token } = this.#credentials;
    const payload = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const outgoing = httpsRequest(new URL(path, url), {
        method,
        ca,
        agent: this.#agent,
        ...(signal && { signal }),
        headers: {
          accept: "application/json",
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...(payload !== undefined && { "content-type": contentType ?? "application/json", "content-length": Buffer.byteLength(payload) }),
        },
      });
      const limit = setTimeout(() => {
        outgoing.destroy(new Error(`${method} ${path}: the API server has not answered within ${REPLY_LIMIT_MS / 1000} s`));
      }, REPLY_LIMIT_MS);
      outgoing.on("error", (error: NodeJS.ErrnoException) => {
        clearTimeout(limit);
        // A server that was stopped for long closes idle connections when it goes on: this request was never read.
        if (outgoing.reusedSocket && error.code === "ECONNRESET") resolve(this.#send(method, path, body, contentType, signal));
        else reject(error);
      });
      outgoing.on("response", (response) => {
        clearTimeout(limit);
        const status = response.statusCode ?? 0;
        if (status < 400) resolve(response);
        else textOf(response).then((text) => reject(new ApiError(status, `${method} ${path}`, messageIn(text))), reject);
      });
      outgoing.end(payload);
    });
  }
}
