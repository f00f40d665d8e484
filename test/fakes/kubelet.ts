// What nodes and controllers do in a cluster, as far as the tests need it: nodes appear, pods get a
// node and addresses, run, finish and go, namespaces get their default service account and go.
//
// In: a client that may do everything. Out: objects in the API server, as kubelets would leave them.
// Nothing happens by itself: no pod runs anywhere, and every step is a call.

import type { ApiClient, KubeObject } from "../cluster/harness/client.ts";

export interface ContainerPort {
  readonly name?: string;
  readonly containerPort: number;
  readonly protocol?: "TCP" | "UDP" | "SCTP";
}

export interface PodOptions {
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  /** With addresses the pod runs at once; without it stays pending until run(). */
  readonly ips?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly ports?: readonly ContainerPort[];
  readonly hostNetwork?: boolean;
  readonly serviceAccount?: string;
}

export type PodPhase = "Pending" | "Running" | "Succeeded" | "Failed";

/** The objects that a namespace takes with it when it goes. */
const CONTENTS = [
  { apiVersion: "v1", kind: "Pod" },
  { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" },
  { apiVersion: "v1", kind: "ServiceAccount" },
] as const;

const podRef = (namespace: string, name: string): KubeObject => ({ apiVersion: "v1", kind: "Pod", metadata: { namespace, name } });

const namespaceRef = (name: string): KubeObject => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } });

const addressesOf = (ips: readonly string[]): object => ({ podIP: ips[0] ?? null, podIPs: ips.map((ip) => ({ ip })) });

export class Kubelet {
  readonly #client: ApiClient;

  constructor(client: ApiClient) {
    this.#client = client;
  }

  async createNode(name: string, ip: string): Promise<KubeObject> {
    const node = await this.#client.create({ apiVersion: "v1", kind: "Node", metadata: { name } });
    const status = { addresses: [{ type: "InternalIP", address: ip }, { type: "Hostname", address: name }] };
    return this.#client.patch(node, { status }, { subresource: "status" });
  }

  /** The namespace and its default service account. */
  async createNamespace(name: string, labels: Readonly<Record<string, string>> = {}): Promise<KubeObject> {
    const namespace = await this.#client.create({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels } });
    await this.createServiceAccount(name, "default");
    return namespace;
  }

  createServiceAccount(namespace: string, name: string, labels: Readonly<Record<string, string>> = {}): Promise<KubeObject> {
    return this.#client.create({ apiVersion: "v1", kind: "ServiceAccount", metadata: { namespace, name, labels } });
  }

  /** A pod that is scheduled to its node; it runs where addresses are given. */
  async createPod(options: PodOptions): Promise<KubeObject> {
    const { namespace, name, node, ips, labels = {}, ports = [], hostNetwork = false, serviceAccount = "default" } = options;
    const container = {
      name: "main",
      image: "none",
      ports: ports.map((port) => (hostNetwork ? { ...port, hostPort: port.containerPort } : port)),
    };
    const pod = await this.#client.create({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { namespace, name, labels },
      spec: { nodeName: node, hostNetwork, serviceAccountName: serviceAccount, containers: [container] },
    });
    return ips === undefined ? pod : this.run(namespace, name, ips);
  }

  run(namespace: string, name: string, ips: readonly string[]): Promise<KubeObject> {
    return this.patchStatus(namespace, name, { phase: "Running", ...addressesOf(ips) });
  }

  /** Finished pods keep their address in the API while another pod may already have it. */
  finish(namespace: string, name: string, phase: PodPhase = "Succeeded"): Promise<KubeObject> {
    return this.patchStatus(namespace, name, { phase });
  }

  /** Strategic merge would add to the list of addresses; a merge patch replaces it. */
  patchStatus(namespace: string, name: string, status: object): Promise<KubeObject> {
    return this.#client.patch(podRef(namespace, name), { status }, { subresource: "status" });
  }

  /** A graceful deletion: the pod stays, with a deletionTimestamp, until removePod. */
  terminate(namespace: string, name: string, graceSeconds = 30): Promise<void> {
    return this.#client.delete(podRef(namespace, name), graceSeconds);
  }

  removePod(namespace: string, name: string): Promise<void> {
    return this.#client.delete(podRef(namespace, name), 0);
  }

  /** Removes the namespace with what the agent can see in it, and takes off the finalizer that keeps it. */
  async removeNamespace(name: string): Promise<void> {
    await this.#client.delete(namespaceRef(name));
    for (const contents of CONTENTS) await this.#client.deleteAll({ ...contents, namespace: name });
    const namespace = await this.#client.get(namespaceRef(name));
    await this.#client.replace({ ...namespace, spec: { finalizers: [] } }, "finalize");
  }
}
