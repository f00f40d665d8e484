// manifests/caracal.yaml fits the agent: what it sets are parameters, what it mounts and probes is where the agent has it, and what
// it grants is reading.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { suite, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { loadConfig } from '../../src/config/load.ts';
import { parameterKeys, parameters, variablesOf } from '../../src/config/parameters.ts';
import { kinds } from '../../src/sync/resources/kinds.ts';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

interface Probe {
  readonly httpGet: { readonly host: string; readonly port: number; readonly path: string };
}

interface Container {
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
}

interface Manifest {
  readonly kind: string;
  readonly rules: readonly Rule[];
  readonly spec: { readonly template: { readonly spec: { readonly containers: readonly Container[]; readonly volumes: readonly { readonly name: string }[] } } };
}

const text = readFileSync(path.join(import.meta.dirname, '..', '..', 'manifests', 'caracal.yaml'), 'utf8');
const documents = parseAllDocuments(text).map((document) => {
  assert.deepEqual(document.errors, []);
  return document.toJS() as Manifest;
});

function find(kind: string): Manifest {
  return documents.find((each) => each.kind === kind) ?? assert.fail(`no ${kind}`);
}

suite('manifests/caracal.yaml', () => {
  const pod = find('DaemonSet').spec.template.spec;
  const [container] = pod.containers;
  assert.ok(container);
  const env = Object.fromEntries(container.env.map(({ name, value }) => [name, value ?? 'from-the-pod']));
  const config = loadConfig({ env, hostname: 'kernel' });

  test('grants list and watch, and nothing else', () => {
    const { rules } = find('ClusterRole');
    assert.deepEqual([...new Set(rules.flatMap((rule) => rule.verbs))].toSorted(), ['list', 'watch']);
  });
  test('grants every kind that is read, in every group that may serve it, and no other', () => {
    const granted = find('ClusterRole').rules.flatMap(({ apiGroups, resources }) => apiGroups.flatMap((group) => resources.map((resource) => `${resource}.${group}`)));
    const read = kinds.flatMap(({ apiVersion, otherApiVersions = [], plural }) => [apiVersion, ...otherApiVersions].map((each) => `${plural}.${each.includes('/') ? each.split('/')[0] : ''}`));
    assert.deepEqual(granted.toSorted(), read.toSorted());
  });
  test('sets only parameters of the agent, to values that it accepts', () => {
    const variables = new Set(parameterKeys.flatMap((key) => variablesOf(parameters[key])));
    assert.deepEqual(Object.keys(env).filter((name) => !variables.has(name)), []);
    assert.deepEqual([...config.warnings, ...config.ignored], []);
  });
  test('probes where the agent answers', () => {
    assert.equal(config.values.healthEnabled, true);
    const at = { host: '127.0.0.1', port: config.values.healthPort };
    assert.deepEqual(container.livenessProbe.httpGet, { ...at, path: '/liveness' });
    assert.deepEqual(container.readinessProbe.httpGet, { ...at, path: '/readiness' });
  });
  test("mounts the node's lock and run directory where the agent looks for them, and every volume there is", () => {
    const mounted = container.volumeMounts.map(({ mountPath }) => mountPath);
    assert.deepEqual(mounted, [config.values.iptablesLockFile, config.values.runDirectory]);
    assert.deepEqual(container.volumeMounts.map(({ name }) => name), pod.volumes.map(({ name }) => name));
  });
});
