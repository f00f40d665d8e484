// The composition root: the one place that knows every part. Reads top to bottom like the diagram in ARCHITECTURE.md:
//
//   source ──Batch──▶ graph ──Desired──▶ driver ──▶ iptables-restore, ipset
//                                          ▲ doorbell
//
// Nothing is written before the lock is held and the source is in sync. What ends the agent leaves the rules in place.

import type { AgentContext } from './cli/world.ts';
import { createGraph } from './calc/graph.ts';
import type { Config } from './config/parameters.ts';
import { createCommandRunner } from './dataplane/command.ts';
import { Driver } from './dataplane/driver.ts';
import { acquireAgentLock } from './dataplane/lock.ts';
import { openNode } from './dataplane/node.ts';
import type { DataplaneOptions } from './dataplane/options.ts';
import { systemClock } from './lib/clock.ts';
import { applyRecorder } from './observability/apply-latency.ts';
import { startEndpoints } from './observability/endpoints.ts';
import { createHealth } from './observability/health.ts';
import { createMetrics } from './observability/metrics.ts';
import { createStatusBoard } from './observability/status.ts';
import { DirectorySource } from './sync/directory/source.ts';
import { KubernetesSource } from './sync/kubernetes/source.ts';
import type { Source } from './sync/source.ts';

/** As RunAgent (cli/world.ts). */
export async function runAgent(config: Config, { version, log, signal }: AgentContext): Promise<void> {
  const clock = systemClock;
  const registry = createMetrics({ processMetrics: config.metricsEnabled && config.processMetrics });
  const { metrics } = registry;
  metrics.set('caracal_build_info', 1, { version });
  const health = createHealth(clock);
  for (const component of ['Lock', 'Node', 'Sync', 'dataplane']) health.register(component);
  const status = createStatusBoard(config.nodeName);

  await using parts = new AsyncDisposableStack();
  let publishKinds = (): void => {};
  const endpoints = startEndpoints(config, { health, status, registry, log, clock, beforePage: () => publishKinds() });
  parts.defer(() => endpoints.close());

  const runner = createCommandRunner({ env: { XTABLES_LOCKFILE: config.iptablesLockFile } });
  const lock = await acquireAgentLock({
    runner,
    directory: config.runDirectory,
    signal,
    logger: log,
    clock,
    onWait: (holder) => health.report('Lock', { live: true, ready: false, detail: `another agent programs this node: ${holder}` }),
  }).catch((error: unknown) => {
    if (signal.aborted) return undefined;
    throw error;
  });
  if (lock === undefined) return;
  parts.defer(() => lock.release());
  health.report('Lock', { live: true, ready: true, detail: 'the only agent of this network namespace' });

  //   which iptables, what lies around, the tools and their doorbell
  let driver: Driver | undefined;
  const node = await openNode({
    runner,
    backend: config.iptablesBackend,
    families: [4],
    coprocesses: config.coprocesses,
    lockFile: config.iptablesLockFile,
    lockSeconds: config.iptablesLockTimeoutSeconds,
    logger: log,
    health,
    clock,
    onRing: (ring) => driver?.ring(ring),
  });
  parts.defer(() => node.close());
  // Stopped while it started: nothing is written any more.
  if (signal.aborted) return;

  //   driver ──▶ kernel
  const onApplied = applyRecorder(metrics, status, log);
  const loop = new Driver({ ruleTools: node.ruleTools, sets: node.sets, clock, logger: log, metrics, health, onApplied }, dataplaneOptions(config, node.backend));
  driver = loop;
  // Only now: an agent that waits for the lock is alive.
  health.register('dataplane', Math.max(20, config.dataplaneWatchdogSeconds));
  parts.defer(() => loop.stop());
  loop.start();

  //   source ──▶ graph ──▶ driver
  const graph = createGraph({ node: config.nodeName });
  const source = openSource(config, { logger: log, metrics, health });
  parts.defer(() => source.stop());
  if (source instanceof KubernetesSource) {
    publishKinds = () => {
      for (const { kind, installed, synced, objects, failure } of source.status) {
        status.setKind(kind, { isAbsent: installed === 'no', inSync: synced, objects, detail: failure?.message ?? '' });
      }
    };
  }
  await source.start((batch) => {
    const desired = graph.update(batch);
    if (desired !== undefined) loop.update(desired);
  });

  const stopped = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => stopped.resolve(), { once: true });
  if (signal.aborted) stopped.resolve();
  const lost = lock.lost.then((reason) => {
    throw new Error(`${reason}: another agent may write now, so this one ends`);
  });
  await Promise.race([stopped.promise, loop.done, lost]);
}

function openSource(config: Config, parts: Pick<ConstructorParameters<typeof DirectorySource>[0], 'logger' | 'metrics' | 'health'>): Source {
  const identity = {
    node: config.nodeName,
    interfacePrefix: config.interfacePrefixes[0] ?? 'cali',
    httpIsEnforcedElsewhere: config.httpRules === 'Ignore' || (config.httpRules === 'Auto' && config.policySyncPathPrefix !== ''),
  };
  if (config.datastore === 'directory') return new DirectorySource({ ...identity, ...parts, path: config.path });
  const access = {
    kubeconfig: config.kubeconfig,
    context: config.kubeContext,
    endpoint: config.apiEndpoint,
    token: config.apiToken,
    certFile: config.apiCertFile,
    keyFile: config.apiKeyFile,
    caFile: config.apiCaFile,
    insecure: config.apiInsecure,
  };
  const { calicoApiGroup: apiGroup } = config;
  return new KubernetesSource({ ...identity, ...parts, access, ...(apiGroup === 'auto' ? {} : { apiGroup }) });
}

function dataplaneOptions(config: Config, backend: 'nft' | 'legacy'): DataplaneOptions {
  return {
    interfacePrefixes: config.interfacePrefixes,
    markMask: config.iptablesMarkMask,
    chainInsertMode: config.chainInsertMode,
    allowAction: config.iptablesFilterAllowAction,
    denyAction: config.iptablesFilterDenyAction,
    endpointToHostAction: config.defaultEndpointToHostAction,
    vxlanPort: config.vxlanPort,
    allowVxlanFromWorkloads: config.allowVxlanFromWorkloads,
    allowIpipFromWorkloads: config.allowIpipFromWorkloads,
    disableConntrackInvalidCheck: config.disableConntrackInvalidCheck,
    logPrefix: config.logPrefix,
    logRateLimit: config.logRateLimit,
    logRateLimitBurst: config.logRateLimitBurst,
    maxSetSize: config.maxIpsetSize,
    ruleRefreshInterval: config.iptablesRefreshSeconds * 1_000,
    setRefreshInterval: config.ipsetsRefreshSeconds * 1_000,
    setCheckInterval: 4_000,
    // The doorbell of the legacy backend rings for every writer of the node.
    doorbellInterval: backend === 'legacy' ? 1_000 : 0,
  };
}
