// The agent while its API server is down, and what it finds when the server is back: nothing that was forbidden all the time passes
// meanwhile, nothing that was allowed all the time is lost, and what changed while it could not see is in force in the end.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { allowRole, denyRole, podObject } from "../kernel/harness/objects.ts";
import type { Expectation } from "../kernel/harness/stage.ts";
import { SteadyTraffic } from "../kernel/harness/steady-traffic.ts";
import { ClusterStage } from "./harness/cluster-stage.ts";

const PODS = { friend: {}, server: {}, stranger: {}, visitor: { namespace: "guest" } };
/** What no change concerns. */
const STEADY: Readonly<Record<string, Expectation>> = { "friend > server": "passes", "stranger > server": "drops" };
const STEADY_POLICIES = [allowRole("shop", "server", "friend")];
const CLOSED = denyRole("guest", "visitor");

const build = (): Promise<ClusterStage> => ClusterStage.build({ pods: PODS, objects: [...STEADY_POLICIES, CLOSED] });

/** A policy goes, another comes, a pod goes and its address is another's, a label changes. */
const changeMeanwhile = async (cluster: ClusterStage): Promise<void> => {
  const { stage } = cluster;
  const far = podObject({ namespace: "shop", name: "far", addresses: ["10.70.9.9"], labels: { role: "friend" }, node: "another" });
  await cluster.remove(CLOSED);
  await cluster.apply(denyRole("shop", "friend"));
  await cluster.apply(far);
  await cluster.remove(stage.object("visitor"));
  const visitor = stage.object("visitor");
  await cluster.apply({ ...visitor, metadata: { ...visitor.metadata, labels: { role: "guest" } } });
};
const BEFORE: Readonly<Record<string, Expectation>> = { ...STEADY, "friend > visitor": "drops", "server > friend": "passes" };
const AFTER: Readonly<Record<string, Expectation>> = { ...STEADY, "friend > visitor": "passes", "server > friend": "drops" };

describe("an agent whose API server goes down", { concurrency: 2 }, () => {
  it("keeps what it knows while the server is killed, and finds what changed before it could connect again", async () => {
    await using cluster = await build();
    const { stage, server } = cluster;
    const agent = await cluster.readyAgent();
    await stage.expect(BEFORE);
    const traffic = await SteadyTraffic.start(stage, STEADY);
    await server.kill();
    await cluster.disconnect();
    await agent.logged("that the server is lost", ({ msg }) => msg.includes("what is known holds"));
    await server.restart();
    await changeMeanwhile(cluster);
    await stage.expect(BEFORE);
    const { status, body } = await agent.page("/readiness");
    assert.equal(status, 200, body);
    assert.match(body, /failed: .*last heard \d+ s ago/);

    await cluster.connect();
    await stage.become(AFTER, 60_000);
    await agent.logged("that the server is back", ({ msg }) => msg.includes("answers again"));
    await traffic.finish();
    assert.equal(agent.ended, undefined);
  });

  it("lists again without a gap when the server has forgotten what happened since (410)", async () => {
    await using cluster = await build();
    const { stage, server } = cluster;
    const agent = await cluster.readyAgent();
    await stage.expect(BEFORE);
    const traffic = await SteadyTraffic.start(stage, STEADY);
    await cluster.disconnect();
    await changeMeanwhile(cluster);
    await server.expireHistory();
    await stage.expect(BEFORE);

    await cluster.connect();
    await stage.become(AFTER, 60_000);
    await traffic.finish();
    const listed = await Promise.all(["list", "stream"].map((method) => agent.metric(`caracal_sync_lists_total{kind="NetworkPolicy",method="${method}"}`)));
    assert.ok(listed.reduce<number>((sum, count) => sum + (count ?? 0), 0) >= 2, `lists: ${listed.join(", ")}`);
    assert.equal(agent.ended, undefined);
  });

  it("waits for a server that is not there yet when it starts, with the kernel left alone", async () => {
    await using cluster = await build();
    const { stage } = cluster;
    await (await cluster.readyAgent()).stop();
    await cluster.disconnect();
    const traffic = await SteadyTraffic.start(stage, STEADY);
    const agent = cluster.startAgent();
    const { status } = await agent.readiness("what it waits for", ({ body }) => body.includes("never heard"));
    assert.equal(status, 503);
    await stage.expect(BEFORE);
    await changeMeanwhile(cluster);

    await cluster.connect();
    await agent.ready(60_000);
    await stage.expect(AFTER);
    await traffic.finish();
  });
});
