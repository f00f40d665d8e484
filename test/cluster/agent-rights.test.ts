// What the API server lets the agent do, taken away and given back while it runs and before it starts. A refusal is never "there is
// none": the kernel keeps what it has, readiness names what is refused, and no restart is needed.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { allowRole, denyRole } from "../kernel/harness/objects.ts";
import { ownState } from "../kernel/harness/own-state.ts";
import type { Expectation } from "../kernel/harness/stage.ts";
import { SteadyTraffic } from "../kernel/harness/steady-traffic.ts";
import { ClusterStage } from "./harness/cluster-stage.ts";

const STEADY: Readonly<Record<string, Expectation>> = { "friend > server": "passes", "stranger > server": "drops" };
const BEFORE: Readonly<Record<string, Expectation>> = { ...STEADY, "server > friend": "passes" };
const AFTER: Readonly<Record<string, Expectation>> = { ...STEADY, "server > friend": "drops" };
const MENDED_MS = 90_000;

const build = (): Promise<ClusterStage> =>
  ClusterStage.build({ pods: { friend: {}, server: {}, stranger: {} }, objects: [allowRole("shop", "server", "friend")] });

describe("an agent and its rights", { concurrency: 2 }, () => {
  it("a revoked token is named, what is known holds, and a new one in the same file is found without a restart", async () => {
    await using cluster = await build();
    const { stage, access, relay } = cluster;
    const agent = await cluster.readyAgent();
    await stage.expect(BEFORE);
    const traffic = await SteadyTraffic.start(stage, STEADY);
    await access.revoke(cluster.token);
    // Watches that are open go on; their next request is refused.
    relay.cut();
    const named = /watch (?:\w+, )*pods.* failed: 401 .*give the agent a valid token/;
    const { status } = await agent.readiness("readiness to name the refusal", ({ body }) => named.test(body));
    assert.equal(status, 503);
    await agent.logged("the refusal", ({ level, msg }) => level === "error" && msg.startsWith("watch pods failed: 401"));
    await cluster.apply(denyRole("shop", "friend"));
    await stage.expect(BEFORE);

    await cluster.giveToken();
    await agent.ready(MENDED_MS);
    await stage.become(AFTER);
    await traffic.finish();
    assert.equal(agent.ended, undefined);
  });

  it("a kind that may not be read any more is named, what is known of it holds, the other kinds go on", async () => {
    await using cluster = await build();
    const { stage, access, relay } = cluster;
    const agent = await cluster.readyAgent();
    await stage.expect(BEFORE);
    const traffic = await SteadyTraffic.start(stage, { "stranger > server": "drops" });
    await access.withdraw("networkpolicies");
    relay.cut();
    const { status, body } = await agent.readiness("readiness to name the refusal", (page) => page.body.includes("403"));
    assert.equal(status, 503);
    assert.match(body, /watch networkpolicies failed: 403 .*grant the verbs list and watch/);
    await cluster.apply(denyRole("shop", "friend"));
    // Pods are still followed: the friend of the server is another one now.
    const friend = stage.object("friend");
    await cluster.apply({ ...friend, metadata: { ...friend.metadata, labels: { role: "nobody" } } });
    await stage.become({ "friend > server": "drops", "server > friend": "passes", "stranger > server": "drops" });
    await cluster.apply(friend);

    await access.restore();
    await agent.ready(MENDED_MS);
    await stage.become(AFTER);
    await agent.logged("that it may read again", ({ msg }) => msg.includes("lets us read NetworkPolicy objects again"));
    await traffic.finish();
    assert.equal(agent.ended, undefined);
  });

  it("an agent that starts without the right to one kind never takes it for empty: it writes nothing and says what it lacks", async () => {
    await using cluster = await build();
    const { stage, access } = cluster;
    await (await cluster.readyAgent()).stop();
    await stage.expect(BEFORE);
    const enforced = await ownState(stage.node.netns, "nft");
    const traffic = await SteadyTraffic.start(stage, STEADY);
    await access.withdraw("networkpolicies");
    await cluster.apply(denyRole("shop", "friend"));
    const agent = cluster.startAgent();
    const { status, body } = await agent.readiness("readiness to name the refusal", (page) => page.body.includes("403"));
    assert.equal(status, 503);
    assert.match(body, /(?:list|watch) networkpolicies failed: 403 /);
    // The other kinds are complete by now.
    await agent.readiness("only that kind to be missing", (page) => !/not listed yet/.test(page.body));
    assert.equal(await agent.metric("caracal_sync_in_sync"), 0);
    assert.equal(await ownState(stage.node.netns, "nft"), enforced);
    await stage.expect(BEFORE);

    await access.restore();
    await agent.ready(MENDED_MS);
    await stage.expect(AFTER);
    await traffic.finish();
  });
});
