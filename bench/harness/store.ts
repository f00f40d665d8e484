// Where a benchmark's objects live: a folder of manifests or a real API server. Both tell when a change was visible to whoever
// watches with nothing to do but watch: that moment is where the agent's latency begins.

import { renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { WireObject } from '../../src/model/verdict.ts';
import { ApiServer } from '../../test/cluster/harness/api-server.ts';
import type { Collection, KubeObject } from '../../test/cluster/harness/client.ts';
import { AgentAccess } from '../../test/cluster/harness/rbac.ts';
import { Relay } from '../../test/cluster/harness/relay.ts';
import { makeScratch, removeScratch } from '../../test/cluster/harness/scratch.ts';
import { within } from '../../test/cluster/harness/wait.ts';
import type { Namespace } from '../../test/kernel/harness/namespace.ts';
import { monotonicMicros } from '../../test/kernel/harness/probe.ts';

export interface Store {
  /** What the agent needs to find it. */
  readonly env: Readonly<Record<string, string>>;
  /** Creates or replaces. Resolves with the moment (monotonicMicros) at which it could be seen. */
  put(object: WireObject): Promise<number>;
  remove(object: WireObject): Promise<number>;
  /** Changes something that no policy looks at; `count` makes it differ. */
  touch(object: WireObject, count: number): Promise<void>;
  /** Many objects that are new, as fast as it goes. */
  fill(objects: readonly WireObject[]): Promise<void>;
  close(): Promise<void>;
}

/** One file per object, put in place by a rename; `fill` puts many into one file. Seen is when the rename begins. */
export function directoryStore(): Store {
  const folder = makeScratch();
  let fills = 0;
  const fileOf = ({ kind, metadata }: WireObject): string => path.join(folder, `${kind.toLowerCase()}-${metadata.namespace ?? ''}-${metadata.name}.json`);
  return {
    env: { DATASTORE_TYPE: 'directory', CARACAL_PATH: folder },
    put: async (object) => {
      const file = fileOf(object);
      writeFileSync(`${file}.new`, JSON.stringify(object));
      const at = monotonicMicros();
      renameSync(`${file}.new`, file);
      return at;
    },
    remove: async (object) => {
      const at = monotonicMicros();
      rmSync(fileOf(object));
      return at;
    },
    touch: async (object, count) => {
      const file = fileOf(object);
      writeFileSync(`${file}.new`, JSON.stringify({ ...object, metadata: { ...object.metadata, annotations: { count: String(count) } } }));
      renameSync(`${file}.new`, file);
    },
    fill: async (objects) => {
      fills += 1;
      writeFileSync(path.join(folder, `.fill`), JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
      renameSync(path.join(folder, '.fill'), path.join(folder, `a-fill-${fills}.json`));
    },
    close: async () => removeScratch(folder),
  };
}

const WATCHED: readonly Collection[] = [
  { apiVersion: 'v1', kind: 'Pod' },
  { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' },
];
/** Requests under way at a time, when filling. */
const PARALLEL = 48;

/** The API server of the tests, brought into the node's namespace by a relay; seen is when a watcher in this process has the event. */
export async function kubernetesStore(node: Namespace): Promise<Store> {
  await using parts = new AsyncDisposableStack();
  const server = parts.use(await ApiServer.start());
  parts.use(await Relay.start({ port: server.port, netns: node.name }));
  const access = await AgentAccess.grant(server);
  const { admin } = server;
  const stop = new AbortController();
  parts.defer(() => stop.abort());
  const seen = new Map<string, number>();
  const waiting = new Map<string, (at: number) => void>();
  /** Only after all fills: a server ends the watch of a client that cannot keep up. */
  let watching: Promise<void> | undefined;
  const watch = async (): Promise<void> => {
    for (const collection of WATCHED) {
      const { metadata } = await admin.list(collection, { limit: 1 });
      void follow(collection, metadata.resourceVersion);
    }
  };
  const follow = async (collection: Collection, resourceVersion: string): Promise<void> => {
    try {
      for await (const { type, object } of admin.watch(collection, { resourceVersion, timeoutSeconds: 3_600 }, stop.signal)) {
        const key = type === 'DELETED' ? `gone ${object.metadata.uid ?? ''}` : `${object.metadata.uid ?? ''} ${object.metadata.resourceVersion ?? ''}`;
        const at = monotonicMicros();
        const tell = waiting.get(key);
        if (tell === undefined) seen.set(key, at);
        else tell(at);
        waiting.delete(key);
        // The oldest one is nobody's concern any more.
        if (seen.size > 10_000) seen.delete(seen.keys().next().value ?? '');
      }
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    }
  };
  const sight = (key: string): Promise<number> => {
    const at = seen.get(key);
    if (at !== undefined) return Promise.resolve(at);
    return within(`the watcher to see ${key}`, 10_000, new Promise<number>((resolve) => waiting.set(key, resolve)));
  };
  const sightOf = ({ kind, metadata }: KubeObject): Promise<number> =>
    WATCHED.some((collection) => collection.kind === kind) ? sight(`${metadata.uid ?? ''} ${metadata.resourceVersion ?? ''}`) : Promise.resolve(monotonicMicros());

  const known = new Map<string, KubeObject>();
  const keyOf = ({ kind, metadata }: WireObject): string => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`;
  /** A merge patch leaves what it does not name: labels that are gone are named. */
  const patchOf = (old: KubeObject, object: WireObject): Record<string, unknown> => {
    const gone = Object.fromEntries(Object.keys(old.metadata.labels ?? {}).map((key) => [key, null]));
    return { metadata: { labels: { ...gone, ...object.metadata.labels } }, ...(object.kind === 'Pod' ? {} : { spec: object['spec'] }) };
  };
  const create = async (object: WireObject): Promise<KubeObject> => {
    const created = await admin.create(object);
    const status = object['status'];
    return status === undefined || object.kind !== 'Pod' ? created : admin.patch(created, { status }, { subresource: 'status' });
  };
  const owned = parts.move();
  return {
    env: { DATASTORE_TYPE: 'kubernetes', K8S_API_ENDPOINT: server.url, K8S_TOKEN: await access.token(), K8S_CA_FILE: server.caFile },
    put: async (object) => {
      await (watching ??= watch());
      const old = known.get(keyOf(object));
      const now = old === undefined ? await create(object) : await admin.patch(object, patchOf(old, object));
      known.set(keyOf(object), now);
      // Nothing has changed: nobody will see anything.
      return old?.metadata.resourceVersion === now.metadata.resourceVersion ? monotonicMicros() : sightOf(now);
    },
    remove: async (object) => {
      await (watching ??= watch());
      const old = known.get(keyOf(object));
      known.delete(keyOf(object));
      await admin.delete(object, 0);
      return sight(`gone ${old?.metadata.uid ?? ''}`);
    },
    touch: async (object, count) => {
      await admin.patch(object, { metadata: { annotations: { count: String(count) } } });
    },
    fill: async (objects) => {
      const isNamespace = ({ kind }: WireObject): boolean => kind === 'Namespace';
      for (const part of [objects.filter(isNamespace), objects.filter((object) => !isNamespace(object))]) {
        const rest = part.values();
        await Promise.all(Array.from({ length: PARALLEL }, async () => {
          for (const object of rest) known.set(keyOf(object), await create(object));
        }));
      }
    },
    close: () => owned.disposeAsync(),
  };
}
