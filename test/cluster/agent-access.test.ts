// The rights of the agent's account on a real server: what a test can take away, and when it is gone.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Kubelet } from "../fakes/kubelet.ts";
import { ApiServer } from "./harness/api-server.ts";
import { type ApiClient, ApiError } from "./harness/client.ts";
import { AgentAccess } from "./harness/rbac.ts";

const PODS = { apiVersion: "v1", kind: "Pod" } as const;
const POLICIES = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" } as const;

const hasStatus = (status: number) => (error: unknown) => error instanceof ApiError && error.status === status;

describe("the agent's account", () => {
  let server: ApiServer;
  let access: AgentAccess;
  let token: string;
  let agent: ApiClient;

  const seenPods = async (client: ApiClient): Promise<number> => (await client.list(PODS)).items.length;

  before(async () => {
    server = await ApiServer.start();
    const kubelet = new Kubelet(server.admin);
    await kubelet.createNode("node-1", "192.0.2.1");
    await kubelet.createNamespace("shop");
    await kubelet.createPod({ namespace: "shop", name: "web", node: "node-1", ips: ["10.1.0.1"] });
    access = await AgentAccess.grant(server);
    token = await access.token();
    agent = server.admin.as(token);
  });
  after(() => server.close());

  test("may list what the agent reads, and change nothing", async () => {
    assert.equal(await seenPods(agent), 1);
    const web = { ...PODS, metadata: { namespace: "shop", name: "web" } };
    await assert.rejects(agent.delete(web), hasStatus(403));
  });

  test("without the right to one kind still has the others", async () => {
    await access.withdraw("networkpolicies");
    await assert.rejects(agent.list(POLICIES), hasStatus(403));
    assert.equal(await seenPods(agent), 1);
    await access.restore();
    assert.deepEqual((await agent.list(POLICIES)).items, []);
  });

  test("is refused with a revoked token and accepted with a new one", async () => {
    await access.revoke(token);
    await assert.rejects(agent.list(PODS), hasStatus(401));
    assert.equal(await seenPods(server.admin.as(await access.token())), 1);
  });
});
