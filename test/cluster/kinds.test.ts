// Every kind that is read, on a real API server: created, changed, made invalid and deleted by a client, and what packets then meet;
// of what nothing is made yet, that the kernel stays as it is. With schemas that take anything, in both groups that may serve Calico's
// kinds, and with our own.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";

import type { AgentProcess } from "../kernel/harness/agent-process.ts";
import { ownState } from "../kernel/harness/own-state.ts";
import type { Expectation } from "../kernel/harness/stage.ts";
import { type ApiClient, ApiError, type KubeObject } from "./harness/client.ts";
import { ClusterStage } from "./harness/cluster-stage.ts";
import { adminPolicyCrds, calicoCrds, CLASSIC, crdsIn, installCrds, MODERN, OUR_CRDS, put } from "./harness/crds.ts";
import { waitFor } from "./harness/wait.ts";

type Verdicts = Readonly<Record<string, Expectation>>;

/** What the client does, and what packets to the server then meet. */
interface Step {
  readonly what: string;
  readonly put?: readonly KubeObject[];
  readonly remove?: readonly KubeObject[];
  readonly verdicts: Verdicts;
  /** "Kind name" of each object that is invalid afterwards. */
  readonly invalid?: string;
}

const verdicts = (friend: Expectation, stranger: Expectation, visitor: Expectation): Verdicts => ({
  "friend > server": friend,
  "stranger > server": stranger,
  "visitor > server": visitor,
});
const OPEN = verdicts("passes", "passes", "passes");
const CLOSED = verdicts("drops", "drops", "drops");
const ONLY_FRIEND = verdicts("passes", "drops", "drops");
const ONLY_STRANGER = verdicts("drops", "passes", "drops");
const NOT_STRANGER = verdicts("passes", "drops", "passes");
const NOT_FRIEND = verdicts("drops", "passes", "passes");
const SHOP = verdicts("passes", "passes", "drops");
const GUEST = verdicts("drops", "drops", "passes");

const LIMIT_MS = 20_000;

/** The objects of a test, in the group that serves them. */
class Objects {
  readonly #group: string;
  readonly #address: (pod: string) => string;

  constructor(group: string, address: (pod: string) => string) {
    this.#group = group;
    this.#address = address;
  }

  cluster(kind: string, name: string, spec: unknown, labels: Readonly<Record<string, string>> = {}): KubeObject {
    return { apiVersion: this.#group, kind, metadata: { name, labels }, spec };
  }

  shop(kind: string, name: string, spec: unknown, labels: Readonly<Record<string, string>> = {}): KubeObject {
    return { apiVersion: this.#group, kind, metadata: { namespace: "shop", name, labels }, spec };
  }

  admin(version: string, kind: string, spec: unknown, name = "default"): KubeObject {
    return { apiVersion: `policy.networking.k8s.io/${version}`, kind, metadata: { name }, spec };
  }

  /** A GlobalNetworkPolicy for the server; other fields win. */
  global(ingress: readonly unknown[], fields: Readonly<Record<string, unknown>> = {}, name = "web"): KubeObject {
    return this.cluster("GlobalNetworkPolicy", name, { selector: "role == 'server'", types: ["Ingress"], ingress, ...fields });
  }

  slice(address: string, name = "db-1"): KubeObject {
    return {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { namespace: "shop", name, labels: { "kubernetes.io/service-name": "db" } },
      addressType: "IPv4",
      endpoints: [{ addresses: [address] }],
      ports: [],
    } as KubeObject;
  }

  address(pod: string): string {
    return this.#address(pod);
  }

  net(pod: string): string {
    return `${this.#address(pod)}/32`;
  }
}

const allow = (selector: string): unknown => ({ action: "Allow", source: { selector } });
const deny = (selector: string): unknown => ({ action: "Deny", source: { selector } });
const ANY = { action: "Allow" };

const kinds: Readonly<Record<string, (objects: Objects) => readonly Step[]>> = {
  GlobalNetworkPolicy: (o) => {
    const policy = (...ingress: readonly unknown[]): KubeObject => o.global(ingress);
    return [
      { what: "created", put: [policy(allow("role == 'friend'"))], verdicts: ONLY_FRIEND },
      { what: "changed", put: [policy(allow("role == 'stranger'"))], verdicts: ONLY_STRANGER },
      { what: "with two rules", put: [policy(deny("role == 'stranger'"), ANY)], verdicts: NOT_STRANGER },
      { what: "with an Allow that is invalid", put: [policy({ action: "Allow", source: { nets: ["10.0.0.0/99"] } }, allow("role == 'friend'"))], verdicts: ONLY_FRIEND, invalid: "GlobalNetworkPolicy" },
      { what: "with a Deny that is invalid", put: [policy({ action: "Deny", source: { selector: "role ==" } }, ANY)], verdicts: CLOSED, invalid: "GlobalNetworkPolicy" },
      { what: "with a field that nobody knows", put: [policy({ ...(allow("role == 'friend'") as object), weather: "fine" })], verdicts: CLOSED, invalid: "GlobalNetworkPolicy" },
      { what: "valid again", put: [policy(allow("role == 'friend'"))], verdicts: ONLY_FRIEND },
      { what: "deleted", remove: [policy()], verdicts: OPEN },
    ];
  },
  "NetworkPolicy of Calico": (o) => {
    const policy = (...ingress: readonly unknown[]): KubeObject => o.shop("NetworkPolicy", "web", { selector: "role == 'server'", types: ["Ingress"], ingress });
    return [
      { what: "created", put: [policy({ action: "Allow", source: { selector: "has(role)" } })], verdicts: SHOP },
      { what: "changed", put: [policy({ action: "Allow", source: { namespaceSelector: "team == 'guest'" } })], verdicts: GUEST },
      { what: "with a selector that is invalid", put: [o.shop("NetworkPolicy", "web", { selector: "role = 'server'", types: ["Ingress"], ingress: [ANY] })], verdicts: CLOSED, invalid: "NetworkPolicy.projectcalico.org" },
      { what: "with types that are invalid", put: [o.shop("NetworkPolicy", "web", { selector: "role == 'server'", types: "Ingress", ingress: [ANY] })], verdicts: CLOSED, invalid: "NetworkPolicy.projectcalico.org" },
      { what: "deleted", remove: [policy()], verdicts: OPEN },
    ];
  },
  Tier: (o) => {
    const early = (spec: unknown): KubeObject => o.cluster("Tier", "early", spec);
    const first = o.global([allow("role == 'friend'"), { action: "Pass", source: { selector: "role == 'visitor'" } }], { tier: "early", order: 1 }, "early.first");
    const second = o.global([allow("role == 'visitor'"), allow("role == 'stranger'")], { order: 1 }, "default.second");
    return [
      { what: "absent, with a policy in it: that comes last, and denies", put: [first, second], verdicts: verdicts("drops", "passes", "passes") },
      { what: "created before the other", put: [early({ order: 100 })], verdicts: verdicts("passes", "drops", "passes") },
      { what: "passing what it does not decide", put: [early({ order: 100, defaultAction: "Pass" })], verdicts: OPEN },
      { what: "moved behind the other", put: [early({ order: 2_000_000 })], verdicts: verdicts("drops", "passes", "passes") },
      { what: "back", put: [early({ order: 100 })], verdicts: verdicts("passes", "drops", "passes") },
      { what: "invalid", put: [early({ order: "soon" })], verdicts: verdicts("drops", "passes", "passes"), invalid: "Tier" },
      { what: "valid again", put: [early({ order: 100 })], verdicts: verdicts("passes", "drops", "passes") },
      { what: "deleted", remove: [early({})], verdicts: verdicts("drops", "passes", "passes") },
      { what: "and its policies", remove: [first, second], verdicts: OPEN },
    ];
  },
  GlobalNetworkSet: (o) => {
    const set = (...nets: readonly unknown[]): KubeObject => o.cluster("GlobalNetworkSet", "good", { nets }, { list: "good" });
    const policy = o.global([allow("list == 'good'")]);
    return [
      { what: "absent", put: [policy], verdicts: CLOSED },
      { what: "created", put: [set(o.net("friend"))], verdicts: ONLY_FRIEND },
      { what: "changed", put: [set(o.net("stranger"))], verdicts: ONLY_STRANGER },
      { what: "invalid, it opens nothing", put: [set(o.net("stranger"), "everywhere")], verdicts: CLOSED, invalid: "GlobalNetworkSet" },
      { what: "valid again", put: [set("0.0.0.0/0")], verdicts: OPEN },
      { what: "deleted", remove: [set()], verdicts: CLOSED },
      { what: "and its policy", remove: [policy], verdicts: OPEN },
    ];
  },
  NetworkSet: (o) => {
    const set = (...nets: readonly unknown[]): KubeObject => o.shop("NetworkSet", "bad", { nets }, { list: "bad" });
    const policy = o.global([{ action: "Deny", source: { selector: "list == 'bad'", namespaceSelector: "all()" } }, ANY]);
    return [
      { what: "absent", put: [policy], verdicts: OPEN },
      { what: "created", put: [set(o.net("stranger"))], verdicts: NOT_STRANGER },
      { what: "changed", put: [set(o.net("friend"))], verdicts: NOT_FRIEND },
      { what: "invalid, it closes everything that names it", put: [set(o.net("friend"), "10.0.0.256")], verdicts: CLOSED, invalid: "NetworkSet" },
      { what: "valid again", put: [set(o.net("friend"))], verdicts: NOT_FRIEND },
      { what: "deleted", remove: [set()], verdicts: OPEN },
      { what: "and its policy", remove: [policy], verdicts: OPEN },
    ];
  },
  HostEndpoint: (o) => {
    const endpoint = (address: unknown): KubeObject => o.cluster("HostEndpoint", "other", { node: "another", interfaceName: "eth0", expectedIPs: [address] }, { host: "other" });
    const policy = o.global([allow("host == 'other'")]);
    return [
      { what: "absent", put: [policy], verdicts: CLOSED },
      { what: "created", put: [endpoint(o.address("friend"))], verdicts: ONLY_FRIEND },
      { what: "changed", put: [endpoint(o.address("stranger"))], verdicts: ONLY_STRANGER },
      { what: "invalid", put: [endpoint("10.70.0")], verdicts: CLOSED, invalid: "HostEndpoint" },
      { what: "valid again", put: [endpoint(o.address("friend"))], verdicts: ONLY_FRIEND },
      { what: "deleted", remove: [endpoint("")], verdicts: CLOSED },
      { what: "and its policy", remove: [policy], verdicts: OPEN },
    ];
  },
  EndpointSlice: (o) => {
    const slice = (pod: string): KubeObject => o.slice(o.address(pod));
    // Ten to some readers, eight to others.
    const zeros = o.slice(o.address("stranger").replace("10.", "010."));
    const policy = o.global([{ action: "Allow", source: { services: { name: "db", namespace: "shop" } } }]);
    return [
      { what: "absent", put: [policy], verdicts: CLOSED },
      { what: "created", put: [slice("friend")], verdicts: ONLY_FRIEND },
      { what: "changed", put: [slice("stranger")], verdicts: ONLY_STRANGER },
      { what: "with an address that not everybody reads alike", put: [zeros], verdicts: CLOSED, invalid: "EndpointSlice" },
      { what: "valid again", put: [slice("friend")], verdicts: ONLY_FRIEND },
      { what: "deleted", remove: [slice("friend")], verdicts: CLOSED },
      { what: "and its policy", remove: [policy], verdicts: OPEN },
    ];
  },
  ServiceAccount: (o) => {
    const account = (trust: string): KubeObject => ({ apiVersion: "v1", kind: "ServiceAccount", metadata: { namespace: "shop", name: "default", labels: { trust } } });
    const policy = o.global([{ action: "Allow", source: { serviceAccounts: { selector: "trust == 'yes'" } } }]);
    return [
      { what: "absent", put: [policy], remove: [account("")], verdicts: CLOSED },
      { what: "created", put: [account("yes")], verdicts: SHOP },
      { what: "invalid, which the API server lets nobody make it", put: [account("yes!")], verdicts: CLOSED, invalid: "ServiceAccount" },
      { what: "changed", put: [account("no")], verdicts: CLOSED },
      { what: "changed back", put: [account("yes")], verdicts: SHOP },
      { what: "deleted", remove: [account("")], verdicts: CLOSED },
      { what: "and its policy", remove: [policy], put: [account("")], verdicts: OPEN },
    ];
  },
  ClusterNetworkPolicy: (o) => {
    const peer = (role: string): unknown => [{ pods: { namespaceSelector: {}, podSelector: { matchLabels: { role } } } }];
    const policy = (tier: string, ...ingress: readonly unknown[]): KubeObject =>
      o.admin("v1alpha2", "ClusterNetworkPolicy", { tier, priority: 10, subject: { namespaces: { matchLabels: { team: "shop" } } }, ingress });
    const own = o.global([allow("role == 'stranger'")]);
    return [
      { what: "created", put: [policy("Admin", { action: "Deny", from: peer("stranger") })], verdicts: NOT_STRANGER },
      { what: "changed", put: [policy("Admin", { action: "Deny", from: peer("friend") })], verdicts: NOT_FRIEND },
      { what: "before other policies", put: [policy("Admin", { action: "Accept", from: peer("friend") }), own], verdicts: verdicts("passes", "passes", "drops") },
      { what: "after other policies", put: [policy("Baseline", { action: "Accept", from: peer("friend") })], verdicts: ONLY_STRANGER },
      { what: "a Deny of it invalid", put: [policy("Admin", { action: "Deny", from: [{ pods: { namespaceSelector: { matchLabels: 7 } } }] })], verdicts: CLOSED, invalid: "ClusterNetworkPolicy" },
      { what: "deleted", remove: [policy("Admin")], verdicts: ONLY_STRANGER },
      { what: "and the other policy", remove: [own], verdicts: OPEN },
    ];
  },
  "AdminNetworkPolicy and BaselineAdminNetworkPolicy": (o) => {
    const peer = (role: string): unknown => [{ pods: { namespaceSelector: {}, podSelector: { matchLabels: { role } } } }];
    const subject = { namespaces: { matchLabels: { team: "shop" } } };
    const first = (action: string, role: string): KubeObject => o.admin("v1alpha1", "AdminNetworkPolicy", { priority: 10, subject, ingress: [{ action, from: peer(role) }] }, "first");
    const last = (action: string, role: string): KubeObject => o.admin("v1alpha1", "BaselineAdminNetworkPolicy", { subject, ingress: [{ action, from: peer(role) }] });
    return [
      { what: "created", put: [last("Deny", "stranger")], verdicts: NOT_STRANGER },
      { what: "with one before it", put: [first("Allow", "stranger")], verdicts: OPEN },
      { what: "changed", put: [first("Deny", "friend")], verdicts: verdicts("drops", "drops", "passes") },
      { what: "invalid", put: [first("Reject", "friend")], verdicts: CLOSED, invalid: "AdminNetworkPolicy" },
      { what: "the first deleted", remove: [first("", "")], verdicts: NOT_STRANGER },
      { what: "the last one changed", put: [last("Deny", "friend")], verdicts: NOT_FRIEND },
      { what: "invalid", put: [last("Reject", "friend")], verdicts: CLOSED, invalid: "BaselineAdminNetworkPolicy" },
      { what: "both deleted", remove: [last("", "")], verdicts: OPEN },
    ];
  },
};

/** What nothing is made of, whatever it says: that it was read shows in the count of objects, and in the warning about an invalid one. */
interface Counted {
  readonly created: KubeObject;
  readonly invalid: KubeObject;
  /** Where the invalid one is wrong. */
  readonly field: string;
  readonly changed: KubeObject;
}

const countedKinds = (o: Objects): readonly Counted[] => {
  const each = (make: (spec: unknown) => KubeObject, created: unknown, invalid: unknown, field: string, changed: unknown): Counted => ({ created: make(created), invalid: make(invalid), field, changed: make(changed) });
  const settings = (kind: string) => (spec: unknown): KubeObject => o.cluster(kind, "default", spec);
  const closed = { selector: "role == 'server'", types: ["Ingress"], ingress: [] };
  const denies = { ...closed, ingress: [{ action: "Deny" }] };
  const wrong = { ...closed, selector: "role ==" };
  const node = (address: unknown): KubeObject => ({ apiVersion: "v1", kind: "Node", metadata: { name: "spare" }, status: { addresses: [{ type: "InternalIP", address }] } });
  return [
    each((spec) => o.cluster("StagedGlobalNetworkPolicy", "web", spec), closed, wrong, "spec.selector", denies),
    each((spec) => o.shop("StagedNetworkPolicy", "web", spec), closed, wrong, "spec.selector", denies),
    each((spec) => o.shop("StagedKubernetesNetworkPolicy", "web", spec), { podSelector: {}, policyTypes: ["Ingress"] }, { podSelector: {}, policyTypes: ["Inward"] }, "spec.policyTypes", { podSelector: {}, policyTypes: ["Egress"] }),
    each(settings("IPPool"), { cidr: "10.70.0.0/16" }, { cidr: "10.70.0.0/40" }, "spec.cidr", { cidr: "10.70.0.0/16", natOutgoing: true }),
    each(settings("FelixConfiguration"), { logSeverityScreen: "Info" }, { nodeSelector: "a ==" }, "spec.nodeSelector", { defaultEndpointToHostAction: "Drop" }),
    each(settings("ClusterInformation"), { datastoreReady: true }, { datastoreReady: "yes" }, "spec.datastoreReady", { datastoreReady: false }),
    each(settings("BGPConfiguration"), { serviceClusterIPs: [{ cidr: "10.96.0.0/16" }] }, { serviceClusterIPs: [{ cidr: "10.96.0.0/33" }] }, "spec.serviceClusterIPs[0].cidr", { serviceClusterIPs: [{ cidr: "10.70.0.0/16" }] }),
    each(node, "192.0.2.7", "192.0.2", "status.addresses[0].address", o.address("friend")),
  ];
};

/** Whether the API server took it. */
const carriedOut = async (admin: ApiClient, { put: objects = [], remove = [] }: Pick<Step, "put" | "remove">): Promise<boolean> => {
  try {
    for (const object of objects) {
      await put(admin, object);
      if (object["status"] !== undefined) await admin.patch(object, { status: object["status"] }, { subresource: "status" });
    }
    for (const object of remove) await admin.delete(object);
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 422) return false;
    throw error;
  }
};

const variants: Readonly<Record<string, { readonly group: string; readonly crds: readonly KubeObject[] }>> = {
  [`kinds of ${CLASSIC}`]: { group: CLASSIC, crds: calicoCrds(CLASSIC) },
  [`kinds of ${MODERN}`]: { group: MODERN, crds: calicoCrds(MODERN) },
  "kinds with the schemas of the manifest": { group: CLASSIC, crds: crdsIn(OUR_CRDS) },
};

describe("kinds on a real API server", { concurrency: true }, () => {
  for (const [title, { group, crds }] of Object.entries(variants)) {
    describe(title, { concurrency: 1 }, () => {
      let cluster: ClusterStage;
      let agent: AgentProcess;
      let objects: Objects;

      before(async () => {
        cluster = await ClusterStage.build({ pods: { friend: {}, server: {}, stranger: {}, visitor: { namespace: "guest" } } });
        objects = new Objects(group, (pod) => cluster.stage.address(pod));
        await installCrds(cluster.server.admin, [...crds, ...adminPolicyCrds()]);
        agent = await cluster.readyAgent();
        await cluster.stage.become(OPEN);
      });
      after(() => cluster.close());
      afterEach(() => assert.equal(agent.ended, undefined, agent.tail()));

      const invalidKinds = async (): Promise<string> => {
        const kindsWithSome = Object.keys(kinds).flatMap((name) => name.split(" and ").map((each) => each.split(" ")[0] ?? "")).map((kind) => (kind === "NetworkPolicy" ? "NetworkPolicy.projectcalico.org" : kind));
        const counts = await Promise.all(kindsWithSome.map(async (kind) => [kind, await agent.metric(`caracal_sync_invalid_objects{kind="${kind}"}`)] as const));
        return counts.filter(([, count]) => (count ?? 0) > 0).map(([kind]) => kind).join();
      };

      for (const [name, make] of Object.entries(kinds)) {
        it(`${name}: the kernel follows`, async (t) => {
          const { admin } = cluster.server;
          let standing = { verdicts: OPEN, invalid: "" };
          for (const { what, verdicts, invalid = "", ...step } of make(objects)) {
            await t.test(what, async () => {
              const accepted = await carriedOut(admin, step);
              // What a schema keeps out changes nothing.
              if (accepted) standing = { verdicts, invalid };
              else assert.notEqual(invalid, "", "the API server refused what is valid");
              await cluster.stage.become(standing.verdicts);
              assert.equal(await invalidKinds(), standing.invalid);
            });
          }
        });
      }

      it("a global policy whose selector is unreadable is named, and the agent not ready", async () => {
        const { admin } = cluster.server;
        const policy = objects.global([], { selector: "role ==" });
        await put(admin, policy);
        const { status, body } = await agent.readiness("readiness to name it", (page) => page.body.includes("GlobalNetworkPolicy web"));
        assert.equal(status, 503);
        assert.match(body, /invalid and not in force: GlobalNetworkPolicy web; correct or delete them/);
        await admin.delete(policy);
        await agent.ready();
        await cluster.stage.become(OPEN);
      });

      /** Returns when the agent has read so much. */
      const counts = (kind: string, objects: number, invalid: number): Promise<true> =>
        waitFor(`${kind}: ${objects} objects, ${invalid} of them invalid`, LIMIT_MS, async () => {
          const [all, bad = 0] = await Promise.all([agent.metric(`caracal_sync_objects{kind="${kind}"}`), agent.metric(`caracal_sync_invalid_objects{kind="${kind}"}`)]);
          return all === objects && bad === invalid ? true : undefined;
        });

      it("what nothing is made of is read and counted, and changes nothing in the kernel", async (t) => {
        const { admin } = cluster.server;
        const table = countedKinds(objects);
        await cluster.stage.become(OPEN);
        const before = await ownState(cluster.stage.node.netns, "nft");
        for (const { created, invalid, field, changed } of table) {
          const { kind, metadata: { namespace, name } } = created;
          await t.test(`${kind}: created, made invalid, changed`, async () => {
            const others = (await agent.metric(`caracal_sync_objects{kind="${kind}"}`)) ?? 0;
            assert.ok(await carriedOut(admin, { put: [created] }));
            await counts(kind, others + 1, 0);
            const accepted = await carriedOut(admin, { put: [invalid] });
            await counts(kind, others + 1, accepted ? 1 : 0);
            const warning = `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name} is invalid: ${field}`;
            if (accepted) await agent.logged(warning, ({ level, msg }) => level === "warn" && msg.startsWith(warning));
            assert.ok(await carriedOut(admin, { put: [changed] }));
            await counts(kind, others + 1, 0);
            assert.equal(await ownState(cluster.stage.node.netns, "nft"), before);
          });
        }
        // All of them are there, and a policy that was written after them is in force alone.
        const witness = objects.global([allow("role == 'friend'")]);
        await put(admin, witness);
        await cluster.stage.become(ONLY_FRIEND);
        await admin.delete(witness);
        await cluster.stage.become(OPEN);
        for (const { created: { kind }, changed } of table) {
          await t.test(`${kind}: deleted`, async () => {
            const all = (await agent.metric(`caracal_sync_objects{kind="${kind}"}`)) ?? 0;
            await admin.delete(changed);
            await counts(kind, all - 1, 0);
          });
        }
        assert.equal(await ownState(cluster.stage.node.netns, "nft"), before);
        assert.equal((await agent.page("/readiness")).status, 200);
      });
    });
  }
});
