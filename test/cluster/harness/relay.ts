// A way to a server on 127.0.0.1 that a test can break, and that reaches into a network namespace.
//
//   client ──tcp 127.0.0.1:PORT──▶ entrance ──unix socket──▶ Relay ──tcp──▶ server on 127.0.0.1
//   (its namespace)                (a process there)         (the test's process)
//
// Server and client see the address 127.0.0.1, so the server's certificate holds. In a namespace
// PORT is the server's own, and its URL and kubeconfig serve unchanged; otherwise it is another one.
// Run as a program this file is the entrance; it ends with its standard input.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type Server, Socket } from "node:net";
import path from "node:path";

import { makeScratch, removeScratch } from "./scratch.ts";
import { within } from "./wait.ts";

const LIMIT_MS = 20_000;

export interface RelayOptions {
  /** Where the server listens, on 127.0.0.1. */
  readonly port: number;
  /** A network namespace by name (`ip netns`) with its loopback interface up; the test's own where absent. */
  readonly netns?: string;
}

/** Joins two connections: an end or a failure of one is that of the other. Small pieces are passed on at once. */
const join = (a: Socket, b: Socket): void => {
  for (const [from, to] of [[a, b], [b, a]] as const) {
    from.setNoDelay(true);
    from.pipe(to);
    from.on("error", () => undefined);
    from.on("close", () => to.destroy());
  }
};

export class Relay implements AsyncDisposable {
  /** Where clients connect, on 127.0.0.1 of their namespace. */
  readonly port: number;
  readonly #directory: string;
  readonly #exit: Server;
  readonly #entrance: ChildProcess;
  readonly #pairs: Set<readonly [Socket, Socket]>;

  private constructor(port: number, directory: string, exit: Server, entrance: ChildProcess, pairs: Set<readonly [Socket, Socket]>) {
    this.port = port;
    this.#directory = directory;
    this.#exit = exit;
    this.#entrance = entrance;
    this.#pairs = pairs;
  }

  static async start({ port, netns }: RelayOptions): Promise<Relay> {
    const directory = makeScratch();
    const socket = path.join(directory, "socket");
    const pairs = new Set<readonly [Socket, Socket]>();
    const exit = createServer((client) => {
      const pair = [client, connect(port, "127.0.0.1")] as const;
      pairs.add(pair);
      client.on("close", () => pairs.delete(pair));
      join(...pair);
    });
    exit.listen(socket);
    await within("the relay's own socket", LIMIT_MS, once(exit, "listening"));
    exit.unref();

    const entry = [process.execPath, import.meta.filename, socket, netns === undefined ? "0" : String(port)];
    const [command = "", ...args] = netns === undefined ? entry : ["ip", "netns", "exec", netns, ...entry];
    const entrance = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
    // A test that forgot to close its relay must end, not hang.
    entrance.unref();
    for (const pipe of [entrance.stdin, entrance.stdout]) if (pipe instanceof Socket) pipe.unref();
    const listening = new Promise<string>((resolve, reject) => {
      entrance.stdout.setEncoding("utf8").once("data", resolve);
      entrance.once("error", reject);
      entrance.once("exit", () => reject(new Error("the relay's entrance ended; it says above why")));
    });
    const entered = Number(await within("the relay's entrance", LIMIT_MS, listening));
    return new Relay(entered, directory, exit, entrance, pairs);
  }

  /** Cuts every connection, as a middlebox that restarts; new ones pass. */
  cut(): void {
    for (const [client, server] of this.#pairs) {
      client.destroy();
      server.destroy();
    }
  }

  /** Lets nothing through any more on the connections there are: to the client its peer is dead. */
  freeze(): void {
    for (const pair of this.#pairs) for (const side of pair) side.unpipe().pause();
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#pairs.size;
  }

  async close(): Promise<void> {
    const ended = this.#entrance.exitCode === null && this.#entrance.signalCode === null ? once(this.#entrance, "exit") : undefined;
    this.#entrance.stdin?.end();
    if (ended) await within("the relay's entrance to end", LIMIT_MS, ended);
    this.#exit.close();
    this.cut();
    removeScratch(this.#directory);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

const serveEntrance = (socket: string, port: number): void => {
  const server = createServer((client) => join(client, connect(socket)));
  server.listen(port, "127.0.0.1", () => {
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("the relay's entrance has no port");
    process.stdout.write(`${address.port}\n`);
  });
  process.stdin.on("end", () => process.exit(0)).resume();
};

if (import.meta.main) {
  const [socket = "", port = ""] = process.argv.slice(2);
  serveEntrance(socket, Number(port));
}
