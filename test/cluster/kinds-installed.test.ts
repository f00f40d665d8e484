// Kinds whose API is not installed, or not yet, or not any more, or that the agent may not read: what the agent enforces, and when it
// is ready. Beside it packets flow all the time that no change concerns.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { allowRole } from "../kernel/harness/objects.ts";
import { ownState } from "../kernel/harness/own-state.ts";
import type { Expectation } from "../kernel/harness/stage.ts";
import { SteadyTraffic } from "../kernel/harness/steady-traffic.ts";
import type { KubeObject } from "./harness/client.ts";
import { ClusterStage } from "./harness/cluster-stage.ts";
import { adminPolicyCrds, calicoCrds, CLASSIC, installCrds, MODERN, put, removeCrds } from "./harness/crds.ts";

type Verdicts = Readonly<Record<string, Expectation>>;

/** What a NetworkPolicy of Kubernetes says; no other policy concerns it. */
const STEADY: Verdicts = { "friend > server": "passes", "stranger > server": "drops" };
const OPEN: Verdicts = { ...STEADY, "friend > guest": "passes", "stranger > guest": "passes" };
const ONLY_FRIEND: Verdicts = { ...STEADY, "friend > guest": "passes", "stranger > guest": "drops" };
/** About once a minute the agent looks for what is installed. */
const FOUND_MS = 75_000;

const onlyFriend = (apiVersion: string): KubeObject => ({
  apiVersion,
  kind: "GlobalNetworkPolicy",
  metadata: { name: "guest-from-friend" },
  spec: { selector: "role == 'guest'", types: ["Ingress"], ingress: [{ action: "Allow", source: { selector: "role == 'friend'" } }] },
});
const adminDeny: KubeObject = {
  apiVersion: "policy.networking.k8s.io/v1alpha1",
  kind: "AdminNetworkPolicy",
  metadata: { name: "guest-without-stranger" },
  spec: {
    priority: 1,
    subject: { pods: { namespaceSelector: {}, podSelector: { matchLabels: { role: "guest" } } } },
    ingress: [{ action: "Deny", from: [{ pods: { namespaceSelector: {}, podSelector: { matchLabels: { role: "stranger" } } } }] }],
  },
};

const build = (): Promise<ClusterStage> =>
  ClusterStage.build({ pods: { friend: {}, server: {}, stranger: {}, guest: { namespace: "guest" } }, objects: [allowRole("shop", "server", "friend")] });

describe("an agent whose kinds come and go", { concurrency: 2 }, () => {
  it("is ready without them, enforces what comes with them within a minute, and what is left when they go", async () => {
    await using cluster = await build();
    const { stage, server: { admin } } = cluster;
    const agent = await cluster.readyAgent();
    await stage.expect(OPEN);
    assert.match((await agent.page("/readiness")).body, /^not installed: .*GlobalNetworkPolicy, .*Tier$/m);
    assert.equal(await agent.metric('caracal_sync_installed{kind="Tier"}'), 0);
    const traffic = await SteadyTraffic.start(stage, STEADY);

    await installCrds(admin, calicoCrds(CLASSIC));
    await put(admin, onlyFriend(CLASSIC));
    await stage.become(ONLY_FRIEND, FOUND_MS);
    await agent.logged("that they are there", ({ msg }) => msg === "globalnetworkpolicies.crd.projectcalico.org are installed now and are read");
    assert.equal((await agent.page("/readiness")).status, 200);
    assert.equal(await agent.metric('caracal_sync_objects{kind="GlobalNetworkPolicy"}'), 1);

    await removeCrds(admin, calicoCrds(CLASSIC));
    await stage.become(OPEN);
    const { status, body } = await agent.readiness("them to be gone", (page) => /^not installed: .*GlobalNetworkPolicy, .*Tier$/m.test(page.body), FOUND_MS);
    assert.equal(status, 200, body);
    assert.ok(!agent.log.some(({ level }) => level === "error"), agent.tail());
    await traffic.finish();
    assert.equal(agent.ended, undefined, agent.tail());
  });

  it("changes over to the other group when the one is not served any more, and opens nothing on the way", async () => {
    await using cluster = await build();
    const { stage, server: { admin } } = cluster;
    await installCrds(admin, [...calicoCrds(CLASSIC), ...calicoCrds(MODERN)]);
    await put(admin, onlyFriend(CLASSIC));
    await put(admin, onlyFriend(MODERN));
    const agent = await cluster.readyAgent();
    await stage.expect(ONLY_FRIEND);
    await agent.logged("which group it does not read", ({ msg }) => msg.includes("also served by projectcalico.org/v3, which is not read"));
    const traffic = await SteadyTraffic.start(stage, ONLY_FRIEND);
    // The objects stay in etcd; their API is switched off.
    for (const crd of calicoCrds(CLASSIC)) await admin.patch(crd, [{ op: "replace", path: "/spec/versions/0/served", value: false }], { type: "json" });
    const page = await agent.readiness("the other group to be read", ({ body }) => !body.includes("failed:") && body.includes("GlobalNetworkPolicy: in sync, 1 object"), FOUND_MS);
    assert.equal(page.status, 200);
    await agent.logged("that the first one answers 404", ({ msg }) => msg.startsWith("watch globalnetworkpolicies.crd.projectcalico.org failed: 404"));
    const open = { ...onlyFriend(MODERN), spec: { selector: "role == 'guest'", types: ["Ingress"], ingress: [{ action: "Allow", source: { selector: "role in {'friend', 'stranger'}" } }] } };
    await traffic.finish();
    await put(admin, open);
    await stage.become(OPEN, FOUND_MS);
    assert.equal(agent.ended, undefined, agent.tail());
  });

  it("reads the group that CALICO_API_GROUP names", async () => {
    await using cluster = await build();
    const { stage, server: { admin } } = cluster;
    await installCrds(admin, [...calicoCrds(CLASSIC), ...calicoCrds(MODERN)]);
    await put(admin, onlyFriend(MODERN));
    await cluster.readyAgent({ CALICO_API_GROUP: MODERN });
    await stage.expect(ONLY_FRIEND);
  });

  it("starts together with the API server and never takes what that has not found yet for not installed", async () => {
    await using cluster = await build();
    const { stage, server } = cluster;
    await installCrds(server.admin, [...calicoCrds(CLASSIC), ...adminPolicyCrds()]);
    await put(server.admin, onlyFriend(CLASSIC));
    await (await cluster.readyAgent()).stop();
    const traffic = await SteadyTraffic.start(stage, ONLY_FRIEND);
    for (let round = 0; round < 3; round += 1) {
      await server.kill();
      const agent = cluster.startAgent();
      await server.restart();
      await agent.ready(60_000);
      assert.ok(!agent.log.some(({ msg }) => msg.startsWith("not installed")), agent.tail());
      await stage.expect(ONLY_FRIEND);
      await agent.stop();
    }
    await traffic.finish();
  });

  it("a kind that is installed and refused is not an absent one: nothing is written, and it is named; granted, it is in force", async () => {
    await using cluster = await build();
    const { stage, access, server: { admin } } = cluster;
    await installCrds(admin, calicoCrds(CLASSIC));
    await put(admin, onlyFriend(CLASSIC));
    await (await cluster.readyAgent()).stop();
    const enforced = await ownState(stage.node.netns, "nft");
    const traffic = await SteadyTraffic.start(stage, ONLY_FRIEND);
    await access.withdraw("globalnetworkpolicies.crd.projectcalico.org");
    await admin.delete(onlyFriend(CLASSIC));
    await put(admin, onlyFriend(CLASSIC));
    const agent = cluster.startAgent();
    const { status, body } = await agent.readiness("readiness to name the refusal", (page) => page.body.includes("403") && !page.body.includes("not listed yet"));
    assert.equal(status, 503);
    assert.match(body, /(?:list|watch) globalnetworkpolicies\.crd\.projectcalico\.org failed: 403 .*grant the verbs list and watch/);
    assert.equal(await agent.metric('caracal_sync_refused{kind="GlobalNetworkPolicy"}'), 1);
    assert.equal(await agent.metric("caracal_sync_in_sync"), 0);
    assert.equal(await ownState(stage.node.netns, "nft"), enforced);
    await access.restore();
    await agent.ready(90_000);
    await stage.expect(ONLY_FRIEND);
    assert.equal(await agent.metric('caracal_sync_refused{kind="GlobalNetworkPolicy"}'), 0);
    await traffic.finish();
  });

  it("a refused kind that an older role does not grant is a warning, and in force when it is granted", async () => {
    await using cluster = await build();
    const { stage, access, server: { admin } } = cluster;
    await installCrds(admin, adminPolicyCrds());
    await put(admin, adminDeny);
    await access.withdraw("adminnetworkpolicies.policy.networking.k8s.io", "baselineadminnetworkpolicies.policy.networking.k8s.io");
    const agent = await cluster.readyAgent();
    await stage.expect(OPEN);
    const traffic = await SteadyTraffic.start(stage, STEADY);
    const warning = await agent.logged("the refusal", ({ msg }) => msg.startsWith("watch adminnetworkpolicies.policy.networking.k8s.io failed: 403"));
    assert.equal(warning.level, "warn");
    assert.equal(await agent.metric('caracal_sync_refused{kind="AdminNetworkPolicy"}'), 1);
    await access.restore();
    await stage.become(ONLY_FRIEND, 90_000);
    assert.ok(!agent.log.some(({ level }) => level === "error"), agent.tail());
    await traffic.finish();
  });
});
