// Objects that the API server accepts and that try to lead the agent astray: none of them ends it, none opens anything, and what is
// written beside them is in force.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import type { WireObject } from "../../src/model/verdict.ts";
import type { AgentProcess } from "../kernel/harness/agent-process.ts";
import { allowRole, denyRole, podObject, policyObject } from "../kernel/harness/objects.ts";
import type { Expectation } from "../kernel/harness/stage.ts";
import { SteadyTraffic } from "../kernel/harness/steady-traffic.ts";
import { ClusterStage } from "./harness/cluster-stage.ts";

const STEADY: Readonly<Record<string, Expectation>> = { "friend > server": "passes", "stranger > server": "drops", "visitor > server": "drops" };

/** A pod that has no status yet, with what its CNI plugin is said to have written. */
const annotated = (name: string, addresses: string): WireObject => {
  const { spec, ...pod } = podObject({ namespace: "shop", name, addresses: [], labels: { role: "friend" }, node: "another" });
  const metadata = { ...pod.metadata, annotations: { "cni.projectcalico.org/podIP": addresses, "cni.projectcalico.org/podIPs": addresses } };
  return { ...pod, metadata, spec, status: { phase: "Pending" } };
};

const from = (name: string, cidr: string, except: readonly string[] = []): WireObject =>
  policyObject("shop", name, {
    podSelector: { matchLabels: { role: "server" } },
    policyTypes: ["Ingress"],
    ingress: [{ from: [{ ipBlock: { cidr, ...(except.length === 0 ? {} : { except }) } }] }],
  });

const odd: Readonly<Record<string, (cluster: ClusterStage) => readonly WireObject[]>> = {
  "an annotation that claims every address": () => [annotated("everywhere", "0.0.0.0/0")],
  "an annotation with a line that would be a command": ({ stage }) => [
    annotated("writer", `10.70.8.1\nadd cali40s:x ${stage.address("stranger")}`),
    annotated("ruler", "10.70.8.2/32\nCOMMIT\n*filter\n-A FORWARD -j ACCEPT\nCOMMIT"),
  ],
  "a pod that claims another namespace by its labels": () => [
    podObject({
      namespace: "guest",
      name: "visitor",
      addresses: ["10.70.0.14"],
      labels: { role: "friend", "projectcalico.org/namespace": "shop", "pcns.team": "shop", "projectcalico.org/orchestrator": "k8s" },
    }),
  ],
  "a finished friend whose address is the stranger's now": ({ stage }) => [
    { ...podObject({ namespace: "shop", name: "finished", addresses: [stage.address("stranger")], labels: { role: "friend" }, node: "another" }), status: { phase: "Succeeded", podIP: stage.address("stranger"), podIPs: [{ ip: stage.address("stranger") }] } },
  ],
  "addresses and blocks with leading zeros": () => [from("zeros", "010.070.000.000/24")],
  "a block that excepts all of itself in two halves": () => [from("halves", "10.70.0.0/24", ["10.70.0.0/25", "10.70.0.128/25"])],
  "names as long as they may be": () => [
    podObject({ namespace: "shop", name: `${"a".repeat(61)}.${"b".repeat(61)}.${"c".repeat(61)}.${"d".repeat(61)}`, addresses: ["10.70.8.3"], labels: {} }),
    { ...denyRole("shop", "nobody"), metadata: { namespace: "shop", name: `${"e".repeat(61)}.${"f".repeat(61)}.${"g".repeat(61)}.${"h".repeat(61)}` } },
  ],
  "more ports and blocks than one rule holds": () => [
    policyObject("shop", "many", {
      podSelector: { matchLabels: { role: "server" } },
      policyTypes: ["Ingress"],
      ingress: [
        {
          from: Array.from({ length: 300 }, (_, index) => ({ ipBlock: { cidr: `192.0.${index >> 8}.${index & 255}/32` } })),
          ports: [
            ...Array.from({ length: 40 }, (_, index) => ({ protocol: index % 2 === 0 ? "TCP" : "UDP", port: 9_000 + index })),
            { protocol: "SCTP", port: "no-such-port" },
            { protocol: "TCP", port: 1, endPort: 65_535 },
          ],
        },
      ],
    }),
  ],
  "a port range that holds every port, for nobody": () => [
    policyObject("shop", "nobody", {
      podSelector: { matchLabels: { role: "server" } },
      policyTypes: ["Ingress"],
      ingress: [{ from: [{ podSelector: { matchExpressions: [{ key: "role", operator: "In", values: ["no-such-role"] }] } }], ports: [{ port: 1, endPort: 65_535 }] }],
    }),
  ],
  "an annotation of 200 kB": () => [
    { ...podObject({ namespace: "shop", name: "heavy", addresses: ["10.70.8.4"], labels: {}, node: "another" }), metadata: { namespace: "shop", name: "heavy", annotations: { note: "é".repeat(100_000) } } },
  ],
};

describe("odd objects that the API server accepts", () => {
  let cluster: ClusterStage;
  let agent: AgentProcess;
  before(async () => {
    cluster = await ClusterStage.build({
      pods: { friend: {}, server: {}, stranger: {}, visitor: { namespace: "guest" } },
      objects: [allowRole("shop", "server", "friend")],
    });
    agent = await cluster.readyAgent();
    await cluster.stage.expect(STEADY);
  });
  after(() => cluster.close());

  for (const [name, make] of Object.entries(odd)) {
    it(`${name}: nothing opens, and what comes after it is in force`, async () => {
      const { stage } = cluster;
      const traffic = await SteadyTraffic.start(stage, STEADY);
      for (const object of make(cluster)) await cluster.apply(object);
      const witness = denyRole("shop", "friend");
      await cluster.apply(witness);
      await stage.become({ ...STEADY, "server > friend": "drops" });
      await cluster.remove(witness);
      await stage.become({ ...STEADY, "server > friend": "passes" });
      await traffic.finish();
      assert.equal(agent.ended, undefined, agent.tail());
      await agent.ready();
    });
  }

  it("those that break a rule are named, with the field and what then holds", async () => {
    for (const name of ["everywhere", "writer", "ruler", "zeros"]) {
      const line = await agent.logged(`what is wrong with ${name}`, ({ msg }) => msg.includes(`shop/${name}`));
      assert.equal(line.level, "warn");
    }
  });
});
