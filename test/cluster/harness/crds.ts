// CustomResourceDefinitions of the kinds that the agent reads, with a schema that takes anything: the API server then lets through
// what Calico's own validation, or ours, would not.

import { readFileSync } from "node:fs";
import path from "node:path";

import { parseAllDocuments } from "yaml";

import { type ApiClient, ApiError, type KubeObject } from "./client.ts";
import { waitFor } from "./wait.ts";

const LIMIT_MS = 30_000;
const DEFINITIONS = "apiextensions.k8s.io/v1";

export const CLASSIC = "crd.projectcalico.org/v1";
export const MODERN = "projectcalico.org/v3";

const CALICO_GLOBAL = [
  "GlobalNetworkPolicy",
  "StagedGlobalNetworkPolicy",
  "Tier",
  "GlobalNetworkSet",
  "HostEndpoint",
  "IPPool",
  "FelixConfiguration",
  "ClusterInformation",
  "BGPConfiguration",
] as const;
const CALICO_NAMESPACED = ["NetworkPolicy", "StagedNetworkPolicy", "StagedKubernetesNetworkPolicy", "NetworkSet"] as const;

const plural = (kind: string): string => (kind.endsWith("y") ? `${kind.toLowerCase().slice(0, -1)}ies` : `${kind.toLowerCase()}s`);

/** A kind of one group and version whose objects may hold anything. */
export const permissiveCrd = (apiVersion: string, kind: string, scope: "Cluster" | "Namespaced"): KubeObject => {
  const [group = "", version = ""] = apiVersion.split("/");
  const names = { kind, listKind: `${kind}List`, plural: plural(kind), singular: kind.toLowerCase() };
  // The API server insists on a word about groups of its own domain.
  const annotations = group.endsWith(".k8s.io") ? { "api-approved.kubernetes.io": "unapproved, for tests" } : {};
  const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  return {
    apiVersion: DEFINITIONS,
    kind: "CustomResourceDefinition",
    metadata: { name: `${names.plural}.${group}`, annotations },
    spec: { group, scope, names, versions: [{ name: version, served: true, storage: true, schema }] },
  };
};

export const calicoCrds = (apiVersion: string): readonly KubeObject[] => [
  ...CALICO_GLOBAL.map((kind) => permissiveCrd(apiVersion, kind, "Cluster")),
  ...CALICO_NAMESPACED.map((kind) => permissiveCrd(apiVersion, kind, "Namespaced")),
];

export const adminPolicyCrds = (): readonly KubeObject[] => [
  permissiveCrd("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy", "Cluster"),
  permissiveCrd("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy", "Cluster"),
  permissiveCrd("policy.networking.k8s.io/v1alpha1", "BaselineAdminNetworkPolicy", "Cluster"),
];

export const OUR_CRDS = path.join(import.meta.dirname, "..", "..", "..", "manifests", "crds.yaml");

/** The definitions in a file, no document of which may have errors. */
export const crdsIn = (file: string): readonly KubeObject[] =>
  parseAllDocuments(readFileSync(file, "utf8"))
    .flatMap((document) => {
      if (document.errors.length > 0) throw new Error(`${file}: ${document.errors.join("; ")}`);
      const object = document.toJS() as KubeObject | null;
      return object?.kind === "CustomResourceDefinition" ? [object] : [];
    });

interface Definition {
  readonly group: string;
  readonly names: { readonly plural: string };
  readonly versions: readonly { readonly name: string }[];
}

const listing = (crd: KubeObject): { readonly path: string; readonly plural: string } => {
  const { group, names, versions } = crd["spec"] as Definition;
  return { path: `/apis/${group}/${versions[0]?.name ?? ""}`, plural: names.plural };
};

/** Returns when the API server serves them, and says so. */
export const installCrds = async (admin: ApiClient, crds: readonly KubeObject[]): Promise<void> => {
  await Promise.all(crds.map((crd) => admin.create(crd)));
  for (const crd of crds) {
    const { path: version, plural } = listing(crd);
    await waitFor(`${crd.metadata.name} to be served`, LIMIT_MS, async () => {
      for (const path of [`${version}/${plural}?limit=1`, version]) if ((await admin.status(path)) !== 200) return undefined;
      const { resources } = await admin.request<KubeObject & { readonly resources: readonly { readonly name: string }[] }>("GET", version);
      return resources.some(({ name }) => name === plural) ? true : undefined;
    });
  }
};

/** Returns when the definitions, and so all objects of theirs, are gone. */
export const removeCrds = async (admin: ApiClient, crds: readonly KubeObject[]): Promise<void> => {
  for (const crd of crds) await admin.delete(crd);
  for (const crd of crds) {
    await waitFor(`${crd.metadata.name} to be gone`, LIMIT_MS, async () => {
      try {
        await admin.get(crd);
        return undefined;
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return true;
        throw error;
      }
    });
  }
};

/** Creates the object, or puts it in the place of the one of its name. */
export const put = async (admin: ApiClient, object: KubeObject): Promise<void> => {
  try {
    await admin.create(object);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 409) throw error;
    const { resourceVersion } = (await admin.get(object)).metadata;
    await admin.replace({ ...object, metadata: { ...object.metadata, ...(resourceVersion === undefined ? {} : { resourceVersion }) } });
  }
};
