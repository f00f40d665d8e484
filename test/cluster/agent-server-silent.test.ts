// The longest wait of all tests: connections that stay open while nothing is said any more, by a server that is stopped in mid-air
// (SIGSTOP) and by a way to it that is dead. The agent must notice by itself (it hears a bookmark a minute from a server that lives,
// and gives up after 90 s of silence) and come right.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { allowRole, denyRole } from "../kernel/harness/objects.ts";
import type { Expectation } from "../kernel/harness/stage.ts";
import { SteadyTraffic } from "../kernel/harness/steady-traffic.ts";
import { ClusterStage } from "./harness/cluster-stage.ts";

const TWO_MINUTES = 120_000;
/** 90 s of silence, and what it takes to connect again. */
const NOTICED_MS = 180_000;
const STEADY: Readonly<Record<string, Expectation>> = { "friend > server": "passes", "stranger > server": "drops" };

const build = (): Promise<ClusterStage> =>
  ClusterStage.build({ pods: { friend: {}, server: {}, stranger: {} }, objects: [allowRole("shop", "server", "friend")] });

describe("an agent whose API server falls silent", { concurrency: 2 }, () => {
  it("keeps what it knows while the server is stopped for two minutes, and follows it again afterwards", async () => {
    await using cluster = await build();
    const { stage, server } = cluster;
    const agent = await cluster.readyAgent();
    await stage.expect({ ...STEADY, "server > friend": "passes" });
    const traffic = await SteadyTraffic.start(stage, STEADY);
    await server.pause();
    await pause(TWO_MINUTES);
    await stage.expect({ ...STEADY, "server > friend": "passes" });
    await agent.logged("that the server is lost", ({ msg }) => msg.includes("what is known holds"));
    assert.equal((await agent.page("/readiness")).status, 200);

    server.resume();
    await cluster.apply(denyRole("shop", "friend"));
    await stage.become({ ...STEADY, "server > friend": "drops" }, NOTICED_MS);
    await agent.logged("that the server is back", ({ msg }) => msg.includes("answers again"), NOTICED_MS);
    await traffic.finish();
    assert.equal(agent.ended, undefined);
  });

  it("notices that its connections are dead, and finds what changed since on new ones", async () => {
    await using cluster = await build();
    const { stage } = cluster;
    const agent = await cluster.readyAgent();
    await stage.expect({ ...STEADY, "server > friend": "passes" });
    const traffic = await SteadyTraffic.start(stage, STEADY);
    cluster.relay.freeze();
    await cluster.apply(denyRole("shop", "friend"));
    await stage.become({ ...STEADY, "server > friend": "drops" }, NOTICED_MS);
    await traffic.finish();
    assert.equal(agent.ended, undefined);
  });
});
