// What it costs to learn of a pod: from the bytes of a watch to the update for calc, beside the floor (JSON.parse alone), and what
// a known pod keeps of the heap. Pods are written as the API server serves those of a Deployment: two containers, probes, a
// projected token, three managers in managedFields. Run with --expose-gc.
//
//   node bench/decode.ts            a table
//   node bench/decode.ts --json     one JSON document
//
// Timings are never asserted.

import { noMetrics } from '../src/lib/metrics.ts';
import { silentLogger } from '../src/lib/logger.ts';
import { readManifest } from '../src/sync/directory/manifest.ts';
import { jsonDecoder } from '../src/sync/kubernetes/decoder.ts';
import { LineSplitter } from '../src/sync/kubernetes/line-splitter.ts';
import { DecodeContext } from '../src/sync/resources/decode-context.ts';
import { InvalidObjects } from '../src/sync/resources/invalid-objects.ts';
import { pods } from '../src/sync/resources/pod.ts';
import { type ResourceCache, resourceCache } from '../src/sync/resources/resource-cache.ts';

interface Measurement {
  readonly name: string;
  readonly value: number;
  readonly unit: 'µs' | 'bytes' | 'MB/s' | 'pods/s';
}

const podCount = 5000;
const rounds = 4;
const chunkSize = 64 * 1024;

function pod(index: number, heartbeat: number): unknown {
  const app = `service-${index % 200}`;
  const managed = (manager: string): unknown => ({
    manager,
    operation: 'Update',
    apiVersion: 'v1',
    time: '2026-01-01T00:00:00Z',
    fieldsV1: Object.fromEntries(Array.from({ length: 45 }, (_, i) => [`f:field-of-some-length-${i}`, { 'f:name': {}, 'f:value': {} }])),
  });
  const container = (name: string): unknown => ({
    name,
    image: `registry.example/team/${app}:1.2.3`,
    env: Array.from({ length: 8 }, (_, i) => ({ name: `SETTING_${i}`, value: `a value of an ordinary length, number ${i}` })),
    ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }, { name: 'metrics', containerPort: 9090, protocol: 'TCP' }],
    resources: { limits: { cpu: '1', memory: '512Mi' }, requests: { cpu: '100m', memory: '128Mi' } },
    volumeMounts: [{ name: 'token', readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }],
    livenessProbe: { httpGet: { path: '/healthz', port: 'http', scheme: 'HTTP' }, timeoutSeconds: 1, periodSeconds: 10 },
  });
  return {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: {
      name: `${app}-5d4c8f7b9-${index.toString(36).padStart(5, 'x')}`,
      namespace: `namespace-${index % 100}`,
      uid: `00000000-0000-0000-0000-${String(index).padStart(12, '0')}`,
      resourceVersion: String(1_000_000 + index),
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: { app, 'app.kubernetes.io/name': app, 'app.kubernetes.io/version': '1.2.3', 'pod-template-hash': '5d4c8f7b9', team: `team-${index % 20}` },
      annotations: { 'cni.projectcalico.org/podIP': address(index), 'kubernetes.io/config.source': 'api', 'checksum/config': 'a'.repeat(64) },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `${app}-5d4c8f7b9`, uid: '0', controller: true }],
      managedFields: ['kube-controller-manager', 'kubelet', 'calico'].map(managed),
    },
    spec: { nodeName: `node-${index % 100}`, serviceAccountName: app, containers: [container('main'), container('sidecar')], restartPolicy: 'Always' },
    status: {
      phase: 'Running',
      podIP: address(index),
      podIPs: [{ ip: address(index) }],
      conditions: ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => ({ type, status: 'True', lastProbeTime: heartbeat })),
    },
  };
}

function address(index: number): string {
  return `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;
}

/** A watch's bytes, cut as the network cuts them. */
function chunksOf(type: string, heartbeat: number): { chunks: Buffer[]; bytes: number } {
  const lines = Array.from({ length: podCount }, (_, i) => `${JSON.stringify({ type, object: pod(i, heartbeat) })}\n`);
  const whole = Buffer.from(lines.join(''));
  const chunks: Buffer[] = [];
  for (let start = 0; start < whole.length; start += chunkSize) chunks.push(whole.subarray(start, start + chunkSize));
  return { chunks, bytes: whole.length };
}

/** Milliseconds of the best round. */
function best(run: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round += 1) {
    const start = performance.now();
    run();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}

function heap(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

function newCache(): ResourceCache {
  return resourceCache(pods, new DecodeContext({ node: 'node-1', interfacePrefix: 'cali' }), new InvalidObjects(silentLogger, noMetrics));
}

function feed(cache: ResourceCache, chunks: readonly Buffer[]): number {
  const lines = new LineSplitter();
  let updates = 0;
  for (const chunk of chunks) {
    for (const line of lines.push(chunk)) {
      const event = jsonDecoder.watchEvent(line);
      if (event.type === 'ADDED' || event.type === 'MODIFIED') updates += cache.upsert(event.object) === undefined ? 0 : 1;
    }
  }
  return updates;
}

function measure(): Measurement[] {
  const { chunks, bytes } = chunksOf('ADDED', 1);
  const perPod = (milliseconds: number): number => (milliseconds * 1000) / podCount;
  const floor = best(() => {
    const lines = new LineSplitter();
    for (const chunk of chunks) for (const line of lines.push(chunk)) JSON.parse(line.toString('utf8'));
  });
  const learn = best(() => feed(newCache(), chunks));
  const known = newCache();
  const before = heap();
  feed(known, chunks);
  const kept = heap() - before;
  const heartbeat = chunksOf('MODIFIED', 2).chunks;
  let updates = 0;
  const irrelevant = best(() => {
    updates += feed(known, heartbeat);
  });
  if (updates !== 0) throw new Error(`${updates} of the irrelevant updates got through`);

  const manifest = Array.from({ length: 1000 }, (_, i) => {
    const { name, namespace, labels } = (pod(i, 0) as { metadata: Record<string, unknown> }).metadata;
    return JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, labels }, spec: { nodeName: 'node-1' }, status: { podIP: address(i) } });
  });
  const context = new DecodeContext({ node: 'node-1', interfacePrefix: 'cali' });
  const yaml = best(() => readManifest(manifest.join('\n---\n'), context));
  const json = best(() => readManifest(`{"kind":"List","apiVersion":"v1","items":[${manifest.join()}]}`, context));
  return [
    { name: 'a pod on the wire', value: bytes / podCount, unit: 'bytes' },
    { name: 'a new pod', value: perPod(learn), unit: 'µs' },
    { name: 'floor of it: lines and JSON.parse', value: perPod(floor), unit: 'µs' },
    { name: 'an update that changes nothing used', value: perPod(irrelevant), unit: 'µs' },
    { name: 'new pods in a second', value: podCount / (learn / 1000), unit: 'pods/s' },
    { name: 'a stream of them', value: bytes / 1e6 / (learn / 1000), unit: 'MB/s' },
    { name: 'heap a known pod keeps', value: kept / podCount, unit: 'bytes' },
    { name: 'a small pod in a YAML manifest', value: yaml, unit: 'µs' },
    { name: 'a small pod in a JSON manifest', value: json, unit: 'µs' },
  ];
}

const measurements = measure();
if (process.argv.includes('--json')) console.log(JSON.stringify({ benchmark: 'decode', node: process.version, measurements }, undefined, 2));
else for (const { name, value, unit } of measurements) console.log(`${name.padEnd(40)} ${value.toFixed(value < 100 ? 1 : 0).padStart(10)} ${unit}`);
