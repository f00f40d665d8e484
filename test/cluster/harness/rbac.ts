// The service account that the agent runs as and the rights it gets: those of manifests/caracal.yaml,
// one rule per kind, so that a test can withdraw one of them.

import { readFileSync } from "node:fs";
import path from "node:path";

import { parseAllDocuments } from "yaml";

import type { ApiServer } from "./api-server.ts";
import type { KubeObject } from "./client.ts";
import { waitFor } from "./wait.ts";

export const AGENT_NAMESPACE = "kube-system";
export const AGENT_ACCOUNT = "caracal";

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

const MANIFEST = path.join(import.meta.dirname, "..", "..", "..", "manifests", "caracal.yaml");
/** Plural names, those of further groups as kubectl has them: "pods", "networkpolicies", "tiers.crd.projectcalico.org". */
export type AgentResource = string;

const RBAC = "rbac.authorization.k8s.io";
const SETTLE_LIMIT_MS = 20_000;

const PLAIN_GROUPS = ["", "networking.k8s.io", "discovery.k8s.io"];
const named = (resource: string, group: string): AgentResource => (PLAIN_GROUPS.includes(group) ? resource : `${resource}.${group}`);

/** What the ClusterRole of the manifest grants, one rule for each kind in each group. */
const GRANTS: ReadonlyMap<AgentResource, Rule> = new Map(
  parseAllDocuments(readFileSync(MANIFEST, "utf8"))
    .map((document) => document.toJS() as KubeObject & { readonly rules: readonly Rule[] })
    .filter(({ kind }) => kind === "ClusterRole")
    .flatMap(({ rules }) => rules)
    .flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) => resources.map((resource) => [named(resource, group), { apiGroups: [group], resources: [resource], verbs }] as const)),
    ),
);
export const AGENT_RESOURCES: readonly AgentResource[] = [...GRANTS.keys()];

const role = (resources: readonly AgentResource[]): KubeObject => ({
  apiVersion: `${RBAC}/v1`,
  kind: "ClusterRole",
  metadata: { name: AGENT_ACCOUNT },
  rules: [...GRANTS].filter(([name]) => resources.includes(name)).map(([, rule]) => rule),
});

const account: KubeObject = { apiVersion: "v1", kind: "ServiceAccount", metadata: { namespace: AGENT_NAMESPACE, name: AGENT_ACCOUNT } };

const binding: KubeObject = {
  apiVersion: `${RBAC}/v1`,
  kind: "ClusterRoleBinding",
  metadata: { name: AGENT_ACCOUNT },
  roleRef: { apiGroup: RBAC, kind: "ClusterRole", name: AGENT_ACCOUNT },
  subjects: [{ kind: "ServiceAccount", namespace: AGENT_NAMESPACE, name: AGENT_ACCOUNT }],
};

/** The rights of one agent account on one server. Changes have taken effect when a method returns. */
export class AgentAccess {
  readonly #server: ApiServer;

  private constructor(server: ApiServer) {
    this.#server = server;
  }

  static async grant(server: ApiServer): Promise<AgentAccess> {
    for (const object of [account, role(AGENT_RESOURCES), binding]) await server.admin.create(object);
    const access = new AgentAccess(server);
    await access.#settle(AGENT_RESOURCES);
    return access;
  }

  token(): Promise<string> {
    return this.#server.serviceAccountToken(AGENT_NAMESPACE, AGENT_ACCOUNT);
  }

  /** Watches that run go on until they end; only the next request is refused. */
  async withdraw(...resources: readonly AgentResource[]): Promise<void> {
    const unknown = resources.filter((resource) => !GRANTS.has(resource));
    if (unknown.length > 0) throw new Error(`the manifest does not grant ${unknown.join(", ")}`);
    const left = AGENT_RESOURCES.filter((resource) => !resources.includes(resource));
    await this.#server.admin.replace(role(left));
    await this.#settle(left);
  }

  async restore(): Promise<void> {
    await this.#server.admin.replace(role(AGENT_RESOURCES));
    await this.#settle(AGENT_RESOURCES);
  }

  /**
   * Makes every token given out so far invalid and an account of the same name in its place, whose
   * tokens are good. Returns when `token` is refused, after some ten seconds: the server remembers
   * for so long that it accepted it.
   */
  async revoke(token: string): Promise<void> {
    const { admin } = this.#server;
    await admin.delete(account);
    await admin.create(account);
    await waitFor("the revoked token to be refused", SETTLE_LIMIT_MS + 10_000, async () =>
      (await admin.as(token).status("/api/v1/pods?limit=1")) === 401 ? true : undefined,
    );
  }

  /** The authorizer follows its objects through a cache of its own. */
  async #settle(granted: readonly AgentResource[]): Promise<void> {
    const settle = (resource: AgentResource): Promise<true> =>
      waitFor(`the agent's right to list ${resource} to change`, SETTLE_LIMIT_MS, async () =>
        (await this.#mayList(resource)) === granted.includes(resource) ? true : undefined,
      );
    await Promise.all(AGENT_RESOURCES.map(settle));
  }

  async #mayList(resource: AgentResource): Promise<boolean> {
    const review = await this.#server.admin.request<KubeObject & { readonly status: { readonly allowed: boolean } }>(
      "POST",
      `/apis/authorization.k8s.io/v1/subjectaccessreviews`,
      {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SubjectAccessReview",
        spec: {
          user: `system:serviceaccount:${AGENT_NAMESPACE}:${AGENT_ACCOUNT}`,
          resourceAttributes: { verb: "list", group: GRANTS.get(resource)?.apiGroups[0] ?? "", resource: GRANTS.get(resource)?.resources[0] ?? "" },
        },
      },
    );
    return review.status.allowed;
  }
}
