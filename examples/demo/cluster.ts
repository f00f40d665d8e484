// Where the demo's objects are written: a folder of manifests, or a real API server. Both give the agent its parameters.

import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { WireObject } from '../../src/model/verdict.ts';
import { Kubelet } from '../../test/fakes/kubelet.ts';
import { ApiServer } from '../../test/cluster/harness/api-server.ts';
import { ApiError } from '../../test/cluster/harness/client.ts';
import { adminPolicyCrds, crdsIn, installCrds, OUR_CRDS } from '../../test/cluster/harness/crds.ts';
import { AgentAccess } from '../../test/cluster/harness/rbac.ts';
import { Relay } from '../../test/cluster/harness/relay.ts';
import { makeScratch, removeScratch } from '../../test/cluster/harness/scratch.ts';
import type { Namespace } from '../../test/kernel/harness/namespace.ts';

export interface DemoCluster {
  /** What the agent needs to find it. */
  readonly env: Readonly<Record<string, string>>;
  apply(object: WireObject): Promise<void>;
  remove(object: WireObject): Promise<void>;
  close(): Promise<void>;
}

/** One manifest file per object, put in place by a rename. */
export function directoryCluster(): DemoCluster {
  const folder = makeScratch();
  const file = ({ kind, metadata }: WireObject): string =>
    join(folder, `${kind.toLowerCase()}-${metadata.namespace ?? 'cluster'}-${metadata.name}.yaml`);
  return {
    env: { DATASTORE_TYPE: 'directory', CARACAL_PATH: folder },
    apply: async (object) => {
      const path = file(object);
      writeFileSync(`${path}.new`, stringify(object));
      renameSync(`${path}.new`, path);
    },
    remove: async (object) => rmSync(file(object)),
    close: async () => removeScratch(folder),
  };
}

/** The real API server of the tests; a relay brings it into the node's network namespace. */
export async function kubernetesCluster(node: Namespace): Promise<DemoCluster> {
  const server = await ApiServer.start();
  let relay: Relay | undefined;
  const close = async (): Promise<void> => {
    await relay?.close();
    await server.close();
  };
  try {
    relay = await Relay.start({ port: server.port, netns: node.name });
    const access = await AgentAccess.grant(server);
    const { admin } = server;
    await installCrds(admin, [...crdsIn(OUR_CRDS), ...adminPolicyCrds()]);
    const kubelet = new Kubelet(admin);
    const apply = async (object: WireObject): Promise<void> => {
      const { metadata, kind } = object;
      try {
        if (kind === 'Namespace') await kubelet.createNamespace(metadata.name, metadata.labels);
        else await admin.create(object);
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 409) throw error;
        // The labels of a pod are replaced as a whole: what the new object lacks goes.
        const old = await admin.get(object);
        const gone = Object.fromEntries(Object.keys(old.metadata.labels ?? {}).map((key) => [key, null]));
        await admin.patch(object, { metadata: { labels: { ...gone, ...metadata.labels } }, ...(kind === 'Pod' ? {} : { spec: object['spec'] }) });
        return;
      }
      if (kind === 'Pod') await admin.patch(object, { status: object['status'] }, { subresource: 'status' });
    };
    return {
      env: {
        DATASTORE_TYPE: 'kubernetes',
        K8S_API_ENDPOINT: server.url,
        K8S_TOKEN: await access.token(),
        K8S_CA_FILE: server.caFile,
      },
      apply,
      remove: (object) => admin.delete(object),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
