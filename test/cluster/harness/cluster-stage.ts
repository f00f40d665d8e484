// A node with pods (test/kernel/harness/stage.ts) whose objects are in a real API server, reached from the node's namespace through
// a relay that a test can break: the set-up of the tests of the whole agent with its cluster.
//
//   agent in the node's namespace ──▶ relay ──▶ kube-apiserver ◀── admin (the test)

import type { WireObject } from "../../../src/model/verdict.ts";
import { Kubelet } from "../../fakes/kubelet.ts";
import type { AgentProcess } from "../../kernel/harness/agent-process.ts";
import { Stage, type StagePod } from "../../kernel/harness/stage.ts";
import { ApiServer } from "./api-server.ts";
import { ApiError, type KubeObject } from "./client.ts";
import { AGENT_ACCOUNT, AgentAccess } from "./rbac.ts";
import { Relay } from "./relay.ts";

export interface ClusterStageOptions {
  readonly pods: Readonly<Record<string, StagePod>>;
  /** Objects that are there before an agent starts. */
  readonly objects?: readonly WireObject[];
}

/** As every API server writes it into pods that name no account, but for ours: that goes without the admission plugin. */
const withAccount = (pod: WireObject): WireObject => ({ ...pod, spec: { serviceAccountName: "default", ...(pod["spec"] as object) } });

export class ClusterStage implements AsyncDisposable {
  readonly stage: Stage;
  readonly server: ApiServer;
  readonly access: AgentAccess;
  readonly kubelet: Kubelet;
  #relay: Relay | undefined;
  /** The one that was given to the agent last. */
  #token = "";
  #kubeconfig = "";

  private constructor(stage: Stage, server: ApiServer, access: AgentAccess) {
    this.stage = stage;
    this.server = server;
    this.access = access;
    this.kubelet = new Kubelet(server.admin);
  }

  static async build({ pods, objects = [] }: ClusterStageOptions): Promise<ClusterStage> {
    const [stage, server] = await Promise.all([Stage.build({ backend: "nft", pods }), ApiServer.start()]);
    try {
      const cluster = new ClusterStage(stage, server, await AgentAccess.grant(server));
      for (const name of Object.keys(pods)) await cluster.apply(stage.object(name));
      for (const object of objects) await cluster.apply(object);
      await cluster.giveToken();
      await cluster.connect();
      return cluster;
    } catch (error) {
      await stage.close();
      await server.close();
      throw error;
    }
  }

  get relay(): Relay {
    if (this.#relay === undefined) throw new Error("the relay is closed: connect()");
    return this.#relay;
  }

  /** The agent's way to the server. */
  async connect(): Promise<void> {
    this.#relay = await Relay.start({ port: this.server.port, netns: this.stage.node.netns.name });
  }

  /** Nothing listens where the agent looks for the server. */
  async disconnect(): Promise<void> {
    await this.#relay?.close();
    this.#relay = undefined;
  }

  /** The token that the agent has, if it has read its file since. */
  get token(): string {
    return this.#token;
  }

  /** Writes a new token into the agent's kubeconfig file. */
  async giveToken(): Promise<void> {
    this.#token = await this.access.token();
    this.#kubeconfig = this.server.kubeconfig(AGENT_ACCOUNT, this.#token);
  }

  startAgent(env: Readonly<Record<string, string>> = {}): AgentProcess {
    return this.stage.startAgent({ DATASTORE_TYPE: "kubernetes", CARACAL_PATH: "", KUBECONFIG: this.#kubeconfig, ...env });
  }

  async readyAgent(env: Readonly<Record<string, string>> = {}): Promise<AgentProcess> {
    const agent = this.startAgent(env);
    await agent.ready();
    return agent;
  }

  /** Creates the object, or makes an existing one like it. A Namespace gets its service account, a pod its status. */
  async apply(object: WireObject): Promise<void> {
    const { admin } = this.server;
    const { kind, metadata } = object;
    try {
      if (kind === "Namespace") await this.kubelet.createNamespace(metadata.name, metadata.labels);
      else {
        if (metadata.namespace !== undefined) await this.#ensureNamespace(metadata.namespace);
        await admin.create(kind === "Pod" ? withAccount(object) : object);
      }
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409) throw error;
      const old = await admin.get(object);
      const labels = { ...Object.fromEntries(Object.keys(old.metadata.labels ?? {}).map((key) => [key, null])), ...metadata.labels };
      await admin.patch(object, { metadata: { labels }, ...(kind === "NetworkPolicy" ? { spec: object["spec"] } : {}) });
    }
    if (kind === "Pod") await admin.patch(object, { status: object["status"] }, { subresource: "status" });
  }

  async remove(...objects: readonly KubeObject[]): Promise<void> {
    for (const object of objects) await this.server.admin.delete(object, 0);
  }

  async close(): Promise<void> {
    await this.stage.close();
    await this.disconnect();
    await this.server.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #ensureNamespace(name: string): Promise<void> {
    if ((await this.server.admin.status(`/api/v1/namespaces/${name}`)) === 200) return;
    await this.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels: { team: name } } });
  }
}
