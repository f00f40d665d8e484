// The way to the API server that tests break: into a namespace, cut, and frozen.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";

import { Relay } from "./harness/relay.ts";
import { waitFor, within } from "./harness/wait.ts";

const LIMIT_MS = 10_000;
const run = promisify(execFile);

const dial = async (port: number): Promise<Socket> => {
  const socket = connect(port, "127.0.0.1").setEncoding("utf8");
  socket.on("error", () => undefined);
  await within("a connection", LIMIT_MS, once(socket, "connect"));
  return socket;
};

/** What the echo server makes of `word`. */
const echo = async (socket: Socket, word: string, limitMs = LIMIT_MS): Promise<string> => {
  const answer = new Promise<string>((resolve) => socket.once("data", (piece) => resolve(String(piece))));
  socket.write(word);
  return within("an echo", limitMs, answer);
};

describe("a relay", () => {
  let server: Server;
  let port: number;

  before(async () => {
    server = createServer((socket) => socket.on("error", () => undefined).pipe(socket));
    server.listen(0, "127.0.0.1");
    await within("the echo server", LIMIT_MS, once(server, "listening"));
    port = (server.address() as AddressInfo).port;
  });
  after(() => server.close());

  test("passes on what both sides say", async () => {
    await using relay = await Relay.start({ port });
    assert.equal(await echo(await dial(relay.port), "hello"), "hello");
  });

  test("cuts the connections there are and takes new ones", async () => {
    await using relay = await Relay.start({ port });
    const old = await dial(relay.port);
    await echo(old, "hello");
    const closed = once(old, "close");
    relay.cut();
    await within("the end of the old connection", LIMIT_MS, closed);
    assert.equal(await echo(await dial(relay.port), "again"), "again");
  });

  test("freezes the connections there are without ending them, and takes new ones", async () => {
    await using relay = await Relay.start({ port });
    const old = await dial(relay.port);
    await echo(old, "hello");
    relay.freeze();
    await assert.rejects(echo(old, "anybody there?", 300), /waited 0.3 s for an echo/);
    assert.equal(old.closed, false);
    assert.equal(await echo(await dial(relay.port), "again"), "again");
    assert.equal(relay.connections, 2);
  });

  test("forgets a connection that its client ends", async () => {
    await using relay = await Relay.start({ port });
    const socket = await dial(relay.port);
    await echo(socket, "hello");
    const ended = once(socket, "close");
    socket.end();
    await within("the end of the connection", LIMIT_MS, ended);
    await waitFor("the relay to forget it", LIMIT_MS, () => (relay.connections === 0 ? true : undefined));
  });

  test("reaches into a network namespace, at the server's own port", async () => {
    const netns = `caracal-relay-${process.pid}`;
    await run("ip", ["netns", "add", netns]).catch((cause: unknown) => {
      throw new Error("cannot make a network namespace: run the tests as root, with iproute2 installed", { cause });
    });
    try {
      await run("ip", ["-n", netns, "link", "set", "lo", "up"]);
      await using relay = await Relay.start({ port, netns });
      assert.equal(relay.port, port);
      const script = `const socket = require("node:net").connect(${port}, "127.0.0.1");
        socket.once("data", (piece) => socket.end(console.log(String(piece)))).write("inside");`;
      const { stdout } = await run("ip", ["netns", "exec", netns, process.execPath, "--eval", script], { timeout: LIMIT_MS });
      assert.equal(stdout, "inside\n");
    } finally {
      await run("ip", ["netns", "delete", netns]);
    }
  });
});
