// What the other cluster tests take for granted about their server, its faults included.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";

import { Kubelet } from "../fakes/kubelet.ts";
import { ApiServer } from "./harness/api-server.ts";
import { ApiError, type ApiClient, type KubeObject, type Query, type WatchEvent } from "./harness/client.ts";
import { waitFor, within } from "./harness/wait.ts";

const PODS = { apiVersion: "v1", kind: "Pod" } as const;
const POLICIES = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" } as const;
const NODE = "node-1";
const EVENT_LIMIT_MS = 20_000;

const podRef = (name: string): KubeObject => ({ ...PODS, metadata: { namespace: "shop", name } });

const names = (items: readonly KubeObject[]): (string | undefined)[] => items.map((item) => item.metadata.name);

const hasStatus = (status: number) => (error: unknown) => error instanceof ApiError && error.status === status;

/** The events of a watch on pods up to the first that `isLast` holds for. */
const eventsUntil = (client: ApiClient, query: Query, isLast: (event: WatchEvent) => boolean): Promise<WatchEvent[]> => {
  const collect = async (): Promise<WatchEvent[]> => {
    const events: WatchEvent[] = [];
    for await (const event of client.watch(PODS, { ...query, timeoutSeconds: 60 })) {
      events.push(event);
      if (isLast(event)) break;
    }
    return events;
  };
  return within("an event of the watch", EVENT_LIMIT_MS, collect());
};

const firstEvent = async (client: ApiClient, query: Query): Promise<WatchEvent> => {
  const [event] = await eventsUntil(client, query, () => true);
  assert(event, "the watch ended without an event");
  return event;
};

describe("the API server of the tests", () => {
  let server: ApiServer;
  let kubelet: Kubelet;
  let addresses = 0;

  const createPod = (name: string): Promise<KubeObject> => {
    addresses += 1;
    return kubelet.createPod({ namespace: "shop", name, node: NODE, ips: [`10.1.0.${addresses}`] });
  };

  before(async () => {
    server = await ApiServer.start({ users: [{ name: "visitor" }] });
    kubelet = new Kubelet(server.admin);
    await kubelet.createNode(NODE, "192.0.2.1");
    await kubelet.createNamespace("shop", { team: "a" });
  });
  after(() => server.close());

  test("keeps a pod with node, address and phase, and a policy", async () => {
    await createPod("web");
    await server.admin.create({
      ...POLICIES,
      metadata: { namespace: "shop", name: "closed" },
      spec: { podSelector: {}, policyTypes: ["Ingress"] },
    });
    const pod = await server.admin.get(podRef("web"));
    const status = { phase: "Running", podIP: "10.1.0.1", podIPs: [{ ip: "10.1.0.1" }] };
    assert.partialDeepStrictEqual(pod, { spec: { nodeName: NODE }, status });
    assert.deepEqual(names((await server.admin.list(POLICIES)).items), ["closed"]);
  });

  test("refuses what its own rules forbid", async () => {
    const invalid = {
      ...POLICIES,
      metadata: { namespace: "shop", name: "bad" },
      spec: { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: "10.0.0.0/33" } }] }] },
    };
    await assert.rejects(server.admin.create(invalid), hasStatus(422));
  });

  test("gives a running watch each change", async () => {
    const { metadata } = await server.admin.list(PODS);
    const seen = eventsUntil(server.admin, { resourceVersion: metadata.resourceVersion }, (event) => event.type === "DELETED");
    await createPod("short-lived");
    await kubelet.finish("shop", "short-lived");
    await kubelet.removePod("shop", "short-lived");
    const events = await seen;
    assert(events.every((event) => event.object.metadata.name === "short-lived"));
    assert.deepEqual([events.at(0)?.type, events.at(-1)?.type], ["ADDED", "DELETED"]);
    assert.partialDeepStrictEqual(events.at(-1)?.object, { status: { phase: "Succeeded" } });
  });

  test("keeps a terminating pod until the kubelet removes it", async () => {
    await createPod("leaving");
    await kubelet.terminate("shop", "leaving");
    assert((await server.admin.get(podRef("leaving"))).metadata.deletionTimestamp);
    await kubelet.removePod("shop", "leaving");
    await assert.rejects(server.admin.get(podRef("leaving")), hasStatus(404));
  });

  test("loses a removed namespace with what was in it", async () => {
    await kubelet.createNamespace("brief");
    await kubelet.createPod({ namespace: "brief", name: "one", node: NODE, ips: ["10.1.1.1"] });
    await kubelet.removeNamespace("brief");
    const gone = { apiVersion: "v1", kind: "Namespace", metadata: { name: "brief" } };
    await assert.rejects(server.admin.get(gone), hasStatus(404));
    assert.deepEqual((await server.admin.list({ ...PODS, namespace: "brief" })).items, []);
  });

  test("has the same address, tokens and data after kill -9 and restart", async () => {
    const { url, adminToken } = server;
    await createPod("survivor");
    await server.kill();
    await assert.rejects(server.admin.get(podRef("survivor")), { code: "ECONNREFUSED" });
    await server.restart();
    assert.deepEqual([server.url, server.adminToken], [url, adminToken]);
    assert.equal((await server.admin.get(podRef("survivor"))).metadata.name, "survivor");
  });

  test("comes back after an orderly stop", async () => {
    await server.stop();
    await server.restart();
    assert.equal((await server.admin.get(podRef("web"))).metadata.name, "web");
  });

  test("answers nothing while paused, and what was asked once resumed", async () => {
    await server.pause();
    let answered = false;
    const answer = server.admin.get(podRef("web")).finally(() => {
      answered = true;
    });
    try {
      await assert.rejects(within("an answer", 500, answer), /waited 0.5 s for an answer/);
      assert.equal(answered, false);
    } finally {
      server.resume();
    }
    assert.equal((await answer).metadata.name, "web");
  });

  test("serves a watch from its cache although etcd has forgotten", async () => {
    const { metadata } = await server.admin.list(PODS);
    await createPod("cached");
    await server.compact();
    const event = await firstEvent(server.admin, { resourceVersion: metadata.resourceVersion });
    assert.deepEqual([event.type, event.object.metadata.name], ["ADDED", "cached"]);
  });

  test("says 410 to an old resourceVersion and an old page after its history has expired", async () => {
    const old = await server.admin.list(PODS, { limit: 1 });
    await server.expireHistory();
    const event = await firstEvent(server.admin, { resourceVersion: old.metadata.resourceVersion });
    assert.deepEqual([event.type, event.object.code], ["ERROR", 410]);
    assert(old.metadata.continue);
    await assert.rejects(server.admin.list(PODS, { limit: 1, continue: old.metadata.continue }), hasStatus(410));
  });

  test("without its watch cache resumes over a restart, and says 410 as soon as etcd is compacted", async () => {
    await server.restart({ watchCache: false });
    const { metadata } = await server.admin.list(PODS, { limit: 1 });
    await createPod("after-list");
    await server.restart();
    const resumed = await firstEvent(server.admin, { resourceVersion: metadata.resourceVersion });
    assert.deepEqual([resumed.type, resumed.object.metadata.name], ["ADDED", "after-list"]);
    await server.compact();
    const refused = await firstEvent(server.admin, { resourceVersion: metadata.resourceVersion });
    assert.deepEqual([refused.type, refused.object.code], ["ERROR", 410]);
    assert(metadata.continue);
    await assert.rejects(server.admin.list(PODS, { limit: 1, continue: metadata.continue }), hasStatus(410));
    await server.restart({ watchCache: true });
  });

  const watchList = { sendInitialEvents: true, allowWatchBookmarks: true, resourceVersionMatch: "NotOlderThan" };
  const isEndOfList = ({ type, object }: WatchEvent): boolean =>
    type === "BOOKMARK" && object.metadata.annotations?.["k8s.io/initial-events-end"] === "true";

  test("streams the list through a watch and marks its end", async () => {
    const { items } = await server.admin.list(PODS);
    const events = await eventsUntil(server.admin, watchList, isEndOfList);
    const streamed = events.slice(0, -1).map((event) => event.object);
    assert(streamed.length > 0);
    assert.deepEqual(names(streamed), names(items));
  });

  test("refuses to stream the list where the WatchList feature is off", async () => {
    await server.restart({ featureGates: { WatchList: false } });
    await assert.rejects(eventsUntil(server.admin, watchList, isEndOfList), hasStatus(422));
    await server.restart({ featureGates: {} });
  });

  test("grants a user nothing and an unknown token not even that", async () => {
    await assert.rejects(server.admin.as(server.token("visitor")).list(PODS), hasStatus(403));
    await assert.rejects(server.admin.as("unknown").list(PODS), hasStatus(401));
  });

  test("writes a kubeconfig that names server, certificate and token", () => {
    const config: unknown = JSON.parse(readFileSync(server.kubeconfig("visitor"), "utf8"));
    assert.partialDeepStrictEqual(config, {
      clusters: [{ cluster: { server: server.url, "certificate-authority": server.caFile } }],
      users: [{ user: { token: server.token("visitor") } }],
    });
    assert(existsSync(server.caFile));
  });
});

test("a server dies with a test that is killed, even while paused, and the next one clears up after it", async () => {
  const harness = JSON.stringify(new URL("harness/api-server.ts", import.meta.url).href);
  const script = `
    const { ApiServer } = await import(${harness});
    const server = await ApiServer.start();
    await server.pause();
    console.log(JSON.stringify([server.pid, server.directory]));
    setInterval(() => undefined, 1000);`;
  const owner = spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: ["ignore", "pipe", "inherit"] });
  const line = new Promise<string>((resolve) => owner.stdout.setEncoding("utf8").once("data", resolve));
  const [pid, directory] = JSON.parse(await within("a server of another process", 120_000, line)) as [number, string];
  const ended = once(owner, "exit");
  owner.kill("SIGKILL");
  await within("the killed test to end", EVENT_LIMIT_MS, ended);
  await waitFor("the orphaned server to end", EVENT_LIMIT_MS, () => {
    const stat = `/proc/${pid}/stat`;
    // Whoever adopts orphans may be slow to reap them: a zombie has ended, too.
    return !existsSync(stat) || readFileSync(stat, "utf8").includes(") Z") ? true : undefined;
  });
  assert(existsSync(directory));
  await using next = await ApiServer.start();
  assert.equal(existsSync(directory), false);
  assert(existsSync(next.directory));
});
