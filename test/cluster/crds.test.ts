// The schemas of Calico's kinds on a real API server: ours (manifests/crds.yaml) and Calico's own, which are no part of this
// project. Objects that use every field are taken by either, and what the server then has is what the decoders read without a complaint.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";

import { DecodeContext } from "../../src/sync/resources/decode-context.ts";
import { kinds } from "../../src/sync/resources/kinds.ts";
import type { Problem } from "../../src/sync/resources/problem.ts";
import { Kubelet } from "../fakes/kubelet.ts";
import { ApiServer } from "./harness/api-server.ts";
import { ApiError, type KubeObject } from "./harness/client.ts";
import { crdsIn, installCrds, OUR_CRDS } from "./harness/crds.ts";

const ROOT = path.join(import.meta.dirname, "..", "..");
const GROUP = "crd.projectcalico.org/v1";
/** The file with Calico's own definitions; in its releases they are under manifests/. */
const BESIDE = path.join(ROOT, "..", "shared", "data", "calico-crds.yaml");
const CALICOS = process.env["CALICO_CRDS"] ?? (existsSync(BESIDE) ? BESIDE : undefined);

const cluster = (kind: string, name: string, spec: unknown, metadata: object = {}): KubeObject => ({ apiVersion: GROUP, kind, metadata: { name, ...metadata }, spec });
const shop = (kind: string, name: string, spec: unknown, metadata: object = {}): KubeObject => cluster(kind, name, spec, { namespace: "shop", ...metadata });
const stored = (metadata: unknown): object => ({ annotations: { "projectcalico.org/metadata": JSON.stringify(metadata) } });

const source = { nets: ["10.0.0.0/8"], notNets: ["10.1.0.0/16"], selector: "a == 'b'", notSelector: "has(c)", namespaceSelector: "global()", ports: [80, "90:99", "web"], notPorts: [95] };
const ingress = [
  { action: "Allow", ipVersion: 4, protocol: "TCP", notProtocol: 17, source, destination: { ports: ["0:65535"] }, metadata: { annotations: { why: "because" } } },
  { action: "Deny", protocol: "ICMP", icmp: { type: 8, code: 0 }, notICMP: { type: 3 }, source: { serviceAccounts: { names: ["a"], selector: "has(b)" } } },
  { action: "Pass", source: { services: { name: "db", namespace: "shop" } } },
  { action: "Log", protocol: 47 },
];
const egress = [{ action: "Allow", destination: { services: { name: "db", namespace: "shop" } } }];
const policy = { tier: "default", order: 1.5, selector: "all()", serviceAccountSelector: "has(a)", types: ["Ingress", "Egress"], ingress, egress };

const samples: readonly KubeObject[] = [
  cluster("Tier", "security", { order: 10, defaultAction: "Pass" }),
  cluster("Tier", "default", { order: 1_000_000, defaultAction: "Deny" }),
  cluster("Tier", "kube-admin", { order: 1000, defaultAction: "Pass" }),
  cluster("GlobalNetworkPolicy", "everything", { ...policy, namespaceSelector: "has(a)", applyOnForward: true, performanceHints: ["AssumeNeededOnEveryNode"] }),
  cluster("GlobalNetworkPolicy", "default.untracked", { doNotTrack: true, applyOnForward: true, types: ["Ingress"] }, stored({ name: "untracked" })),
  cluster("GlobalNetworkPolicy", "nothing", {}),
  shop("NetworkPolicy", "everything", policy),
  cluster("GlobalNetworkSet", "feed", { nets: ["192.0.2.0/24", "fd00::1"] }, stored({ labels: { role: "feed" } })),
  shop("NetworkSet", "feed", { nets: [] }),
  cluster("HostEndpoint", "eth0", { node: "node-1", interfaceName: "eth0", expectedIPs: ["192.0.2.1"], profiles: ["p"], ports: [{ name: "ssh", protocol: "TCP", port: 22 }] }),
  cluster("StagedGlobalNetworkPolicy", "draft", { ...policy, stagedAction: "Set" }),
  shop("StagedNetworkPolicy", "draft", { ...policy, stagedAction: "Learn" }),
  shop("StagedKubernetesNetworkPolicy", "draft", { stagedAction: "Set", podSelector: {}, policyTypes: ["Ingress"], ingress: [{ from: [{ podSelector: { matchLabels: { a: "b" } } }] }] }),
  cluster("IPPool", "pool", { cidr: "192.168.0.0/16", blockSize: 26, natOutgoing: true, ipipMode: "Never", vxlanMode: "Never", nodeSelector: "all()", allowedUses: ["Workload", "Tunnel"] }),
  cluster("FelixConfiguration", "default", { logSeverityScreen: "Info", ipipEnabled: false }),
  cluster("ClusterInformation", "default", { datastoreReady: true, clusterGUID: "x", clusterType: "k8s", calicoVersion: "v3.30.0" }),
  cluster("BGPConfiguration", "default", { serviceClusterIPs: [{ cidr: "10.96.0.0/12" }], asNumber: 64_512 }),
];

const context = new DecodeContext({ node: "node-1", interfacePrefix: "cali" });

const decode = (object: KubeObject): { readonly value: unknown; readonly problems: readonly Problem[] } => {
  const kind = kinds.find((each) => each.kind === object.kind && each.apiVersion === object.apiVersion);
  assert.ok(kind, `${object.kind} is a kind that is read`);
  return kind.decode(object, context);
};

const serverWith = async (crds: readonly KubeObject[]): Promise<ApiServer> => {
  const server = await ApiServer.start();
  await new Kubelet(server.admin).createNamespace("shop");
  await installCrds(server.admin, crds);
  return server;
};

const taken = (sample: KubeObject, server: () => ApiServer): void => {
  test(`take ${sample.kind} ${sample.metadata.name ?? ""}, which decodes without a problem`, async () => {
    const { value, problems } = decode(await server().admin.create(sample));
    assert.deepEqual(problems, []);
    assert.notEqual(value, undefined);
  });
};

const isRefused = (error: unknown): boolean => error instanceof ApiError && error.status === 422;

describe("our definitions of Calico's kinds", () => {
  let server: ApiServer;

  before(async () => {
    server = await serverWith(crdsIn(OUR_CRDS));
  });
  after(() => server.close());

  test("are those of all of Calico's kinds that are read", () => {
    const defined = crdsIn(OUR_CRDS).map(({ spec }) => (spec as { names: { kind: string } }).names.kind);
    assert.deepEqual(defined.toSorted(), kinds.filter(({ apiVersion }) => apiVersion === GROUP).map(({ kind }) => kind).toSorted());
  });

  for (const sample of samples) taken(sample, () => server);

  for (const [what, object] of [
    ["an action that is none", cluster("GlobalNetworkPolicy", "bad", { ingress: [{ action: "Reject" }] })],
    ["a rule without an action", shop("NetworkPolicy", "bad", { ingress: [{}] })],
    ["an order that is text", shop("NetworkPolicy", "bad", { order: "1" })],
    ["a direction that is none", cluster("GlobalNetworkPolicy", "bad", { types: ["Forward"] })],
    ["untracked and before DNAT", cluster("GlobalNetworkPolicy", "bad", { doNotTrack: true, preDNAT: true, applyOnForward: true })],
    ["untracked without applyOnForward", cluster("GlobalNetworkPolicy", "bad", { doNotTrack: true })],
    ["a tier default that passes", cluster("Tier", "default", { order: 1_000_000, defaultAction: "Pass" })],
    ["a host endpoint of no node", cluster("HostEndpoint", "bad", { interfaceName: "eth0" })],
    ["a host endpoint of no interface", cluster("HostEndpoint", "bad", { node: "node-1" })],
    ["a network that is a number", shop("NetworkSet", "bad", { nets: [10] })],
  ] as const) {
    test(`refuse ${what}`, () => assert.rejects(server.admin.create(object), isRefused));
  }

  test("keep a field of a rule that they do not know, so that the rule allows nothing", async () => {
    const object = await server.admin.create(cluster("GlobalNetworkPolicy", "newer", { egress: [{ action: "Allow", destination: { domains: ["db.example"] } }] }));
    const { value, problems } = decode(object);
    assert.deepEqual(problems.map(({ field }) => field), ["spec.egress[0].destination.domains"]);
    assert.partialDeepStrictEqual(value, { egress: [] });
  });
});

/** What definitions of ClusterNetworkPolicy, where there are any, must take as well. */
const clusterPolicy: KubeObject = {
  apiVersion: "policy.networking.k8s.io/v1alpha2",
  kind: "ClusterNetworkPolicy",
  metadata: { name: "everything" },
  spec: {
    tier: "Admin",
    priority: 1,
    subject: { pods: { namespaceSelector: {}, podSelector: { matchLabels: { a: "b" } } } },
    ingress: [{ action: "Pass", name: "let go", from: [{ namespaces: {} }], protocols: [{ tcp: { destinationPort: { range: { start: 1, end: 2 } } } }, { destinationNamedPort: "web" }] }],
    egress: [{ action: "Accept", to: [{ networks: ["10.0.0.0/8"] }, { pods: { podSelector: {} } }] }],
  },
};

// Without the file there is nothing to be tried, and no test that would pass for nothing.
if (CALICOS === undefined) console.log("Calico's own definitions are NOT TRIED: CALICO_CRDS=<file> names those of a release");
else calicos(crdsIn(CALICOS));

function calicos(crds: readonly KubeObject[]): void {
  describe("Calico's own definitions", () => {
    let server: ApiServer;

    before(async () => {
      server = await serverWith(crds);
    });
    after(() => server.close());

    test("define every kind that is tried", () => {
      const defined = new Set(crds.map(({ spec }) => (spec as { readonly names: { readonly kind: string } }).names.kind));
      assert.deepEqual([...samples, clusterPolicy].map(({ kind }) => kind).filter((kind) => !defined.has(kind)), []);
    });

    for (const sample of [...samples, clusterPolicy]) taken(sample, () => server);
  });
}
