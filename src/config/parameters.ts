// The table of parameters: name, type, default, flags and documentation of everything that can be configured, in one place. The
// environment, the command line, `caracal config` and docs/configuration.md are all read from it.
//
// Names, types and defaults are those of Calico's Felix, whose environment variables operators already have. What Felix has no
// name for is called CARACAL_*; the connection to the API server is named as Calico's datastore client names it.

import {
  boolean,
  hostAddress,
  hostname,
  integer,
  interfaceList,
  logPrefix,
  logRate,
  markMask,
  milliseconds,
  oneOf,
  path,
  seconds,
  secret,
  serverUrl,
  text,
} from './types.ts';
import type { ParameterType } from './types.ts';

export type Group = 'Datastore' | 'Kubernetes API' | 'Policy' | 'iptables and ipset' | 'Health and metrics' | 'Logs' | 'Process';

export interface Parameter<T> {
  readonly group: Group;
  /** Felix's name, as its documentation spells it; the variable is FELIX_ and this, in any case. */
  readonly felix?: string;
  /** Other environment variables, looked up before Felix's, first one first. */
  readonly env?: readonly string[];
  /** Long option of `caracal run` and `caracal config`. */
  readonly flag?: `--${string}`;
  readonly type: ParameterType<T>;
  readonly default: T;
  /** A value that is not of the type ends the start; otherwise the default holds, with a warning. */
  readonly fatal?: true;
  /** "none" is not accepted. */
  readonly required?: true;
  /** Never printed. */
  readonly secret?: true;
  readonly doc: string;
}

/** Ties default and type together, keeping literal types. */
function parameter<const T>(definition: Parameter<T> & { readonly default: NoInfer<T> }): Parameter<T> {
  return Object.freeze(definition);
}

/** Calico's client looks for each of its names with this prefix first. */
function client(name: string): readonly string[] {
  return [`CALICO_${name}`, name];
}

const PORT = integer(0, 65_535);
const MANY = Number.MAX_SAFE_INTEGER;

export const parameters = Object.freeze({
  // ---------------------------------------------------------------------------------------------------------- Datastore
  datastore: parameter({
    group: 'Datastore',
    felix: 'DatastoreType',
    env: client('DATASTORE_TYPE'),
    flag: '--datastore',
    type: oneOf(['kubernetes', 'directory']),
    default: 'kubernetes',
    fatal: true,
    required: true,
    doc: 'Where pods and policies come from: the Kubernetes API, or a directory of YAML manifests.',
  }),
  path: parameter({
    group: 'Datastore',
    env: ['CARACAL_PATH'],
    flag: '--path',
    type: path,
    default: '',
    fatal: true,
    doc: 'The directory of manifests, with `--datastore directory`. It is watched.',
  }),
  nodeName: parameter({
    group: 'Datastore',
    felix: 'FelixHostname',
    env: ['NODENAME'],
    flag: '--nodename',
    type: hostname,
    default: '',
    fatal: true,
    required: true,
    doc: 'Name of this node, as pods name it in `spec.nodeName`. Unset: the kernel\'s host name in lower case.',
  }),

  // ----------------------------------------------------------------------------------------------------- Kubernetes API
  kubeconfig: parameter({
    group: 'Kubernetes API',
    env: client('KUBECONFIG'),
    flag: '--kubeconfig',
    type: path,
    default: '',
    doc: 'A kubeconfig file. Unset: `~/.kube/config` if there is one, else the pod\'s service account.',
  }),
  kubeContext: parameter({
    group: 'Kubernetes API',
    env: client('K8S_CURRENT_CONTEXT'),
    type: text,
    default: '',
    doc: 'Context of the kubeconfig file; unset: its current one.',
  }),
  apiEndpoint: parameter({
    group: 'Kubernetes API',
    env: client('K8S_API_ENDPOINT'),
    type: serverUrl,
    default: '',
    fatal: true,
    doc: 'URL of the API server, instead of the one in the kubeconfig file or the service account.',
  }),
  apiToken: parameter({
    group: 'Kubernetes API',
    env: ['CALICO_K8SAPITOKEN', ...client('K8S_TOKEN')],
    type: secret,
    default: '',
    fatal: true,
    secret: true,
    doc: 'Bearer token for the API server.',
  }),
  apiCertFile: parameter({
    group: 'Kubernetes API',
    env: client('K8S_CERT_FILE'),
    type: path,
    default: '',
    doc: 'Client certificate, PEM.',
  }),
  apiKeyFile: parameter({ group: 'Kubernetes API', env: client('K8S_KEY_FILE'), type: path, default: '', doc: 'Its key, PEM.' }),
  apiCaFile: parameter({
    group: 'Kubernetes API',
    env: client('K8S_CA_FILE'),
    type: path,
    default: '',
    doc: 'Authority that signed the API server\'s certificate, PEM.',
  }),
  apiInsecure: parameter({
    group: 'Kubernetes API',
    env: client('K8S_INSECURE_SKIP_TLS_VERIFY'),
    type: boolean,
    default: false,
    doc: 'Trust any certificate of the API server. For tests: who can answer in its place decides what this node enforces.',
  }),

  calicoApiGroup: parameter({
    group: 'Kubernetes API',
    env: ['CALICO_API_GROUP'],
    type: oneOf(['auto', 'crd.projectcalico.org/v1', 'projectcalico.org/v3']),
    default: 'auto',
    fatal: true,
    required: true,
    doc: 'Which API group Calico\'s kinds are read from. `auto`: `projectcalico.org/v3` if the API server has that group and not `crd.projectcalico.org`, else `crd.projectcalico.org/v1`.',
  }),

  // ------------------------------------------------------------------------------------------------------------- Policy
  interfacePrefixes: parameter({
    group: 'Policy',
    felix: 'InterfacePrefix',
    type: interfaceList,
    default: ['cali'] as readonly string[],
    fatal: true,
    required: true,
    doc: 'Prefixes of the names of pods\' interfaces on the host; the first one is used to derive names.',
  }),
  defaultEndpointToHostAction: parameter({
    group: 'Policy',
    felix: 'DefaultEndpointToHostAction',
    type: oneOf(['DROP', 'ACCEPT', 'RETURN']),
    default: 'DROP',
    fatal: true,
    required: true,
    doc: 'What happens to traffic from a pod to its own host that the pod\'s egress policy allows. RETURN: the host\'s own rules decide.',
  }),
  allowVxlanFromWorkloads: parameter({
    group: 'Policy',
    felix: 'AllowVXLANPacketsFromWorkloads',
    type: boolean,
    default: false,
    doc: 'Let pods send VXLAN packets, with which they could reach around policy.',
  }),
  allowIpipFromWorkloads: parameter({
    group: 'Policy',
    felix: 'AllowIPIPPacketsFromWorkloads',
    type: boolean,
    default: false,
    doc: 'Let pods send IP-in-IP packets, with which they could reach around policy.',
  }),
  vxlanPort: parameter({
    group: 'Policy',
    felix: 'VXLANPort',
    type: integer(1, 65_535),
    default: 4789,
    required: true,
    doc: 'The UDP port that counts as VXLAN in the rule above.',
  }),
  disableConntrackInvalidCheck: parameter({
    group: 'Policy',
    felix: 'DisableConntrackInvalidCheck',
    type: boolean,
    default: false,
    doc: 'Do not drop packets that connection tracking calls invalid.',
  }),
  policySyncPathPrefix: parameter({
    group: 'Policy',
    felix: 'PolicySyncPathPrefix',
    type: path,
    default: '',
    doc: 'Directory of the sockets by which Calico\'s application layer policy is told of policies. Set, it says that something else enforces http matches; nothing is served there.',
  }),
  httpRules: parameter({
    group: 'Policy',
    env: ['CARACAL_HTTPRULES'],
    type: oneOf(['Auto', 'Ignore', 'Drop']),
    default: 'Auto',
    doc: 'What a rule that allows certain HTTP requests does, which the kernel cannot tell apart. Ignore: it allows the connection, for something else to enforce the rest. Drop: it allows nothing. Auto: Ignore where `FELIX_POLICYSYNCPATHPREFIX` is set, else Drop.',
  }),
  ipv6Support: parameter({
    group: 'Policy',
    felix: 'IPv6Support',
    type: boolean,
    default: true,
    doc: 'Accepted so that an existing manifest works; without effect yet: IPv6 is not programmed, pods with IPv6 addresses are named in a warning.',
  }),

  // ------------------------------------------------------------------------------------------------- iptables and ipset
  iptablesBackend: parameter({
    group: 'iptables and ipset',
    felix: 'IptablesBackend',
    type: oneOf(['auto', 'legacy', 'nft']),
    default: 'auto',
    doc: 'Which iptables programs to use; auto finds out which ones the node uses.',
  }),
  nftablesMode: parameter({
    group: 'iptables and ipset',
    felix: 'NFTablesMode',
    type: oneOf(['Auto', 'Enabled', 'Disabled']),
    default: 'Auto',
    doc: 'Felix\'s native nftables mode. Accepted so that an existing manifest works; caracal always uses iptables.',
  }),
  chainInsertMode: parameter({
    group: 'iptables and ipset',
    felix: 'ChainInsertMode',
    type: oneOf(['insert', 'append']),
    default: 'insert',
    fatal: true,
    required: true,
    doc: 'Whether the jump to our chains comes first or last in the kernel\'s chains. With append, rules before it can let packets around policy.',
  }),
  iptablesFilterAllowAction: parameter({
    group: 'iptables and ipset',
    felix: 'IptablesFilterAllowAction',
    type: oneOf(['ACCEPT', 'RETURN']),
    default: 'ACCEPT',
    fatal: true,
    required: true,
    doc: 'What happens to a packet that policy allows: ACCEPT at once, or RETURN to the rules that follow in the kernel\'s chain.',
  }),
  iptablesFilterDenyAction: parameter({
    group: 'iptables and ipset',
    felix: 'IptablesFilterDenyAction',
    type: oneOf(['DROP', 'REJECT']),
    default: 'DROP',
    fatal: true,
    required: true,
    doc: 'What happens to a packet that policy denies.',
  }),
  iptablesMarkMask: parameter({
    group: 'iptables and ipset',
    felix: 'IptablesMarkMask',
    type: markMask,
    default: 0xffff_0000,
    fatal: true,
    required: true,
    doc: 'The bits of the packet mark that may be used. No other program on the node may use them.',
  }),
  iptablesRefreshSeconds: parameter({
    group: 'iptables and ipset',
    felix: 'IptablesRefreshInterval',
    type: seconds,
    default: 180,
    doc: 'The rules in the kernel are read and compared at least this often; changes by others are seen at once by other means. 0: never.',
  }),
  ipsetsRefreshSeconds: parameter({
    group: 'iptables and ipset',
    felix: 'IpsetsRefreshInterval',
    type: seconds,
    default: 90,
    doc: 'The members of the sets in the kernel are read and compared this often. 0: never.',
  }),
  maxIpsetSize: parameter({
    group: 'iptables and ipset',
    felix: 'MaxIpsetSize',
    type: integer(1, 0xffff_ffff),
    default: 1_048_576,
    required: true,
    doc: 'The most members that a set may have.',
  }),
  iptablesLockFile: parameter({
    group: 'iptables and ipset',
    felix: 'IptablesLockFilePath',
    type: path,
    default: '/run/xtables.lock',
    required: true,
    doc: 'The lock that the legacy iptables programs take; mounted from the host in a container.',
  }),
  iptablesLockTimeoutSeconds: parameter({
    group: 'iptables and ipset',
    felix: 'IptablesLockTimeoutSecs',
    type: seconds,
    default: 10,
    required: true,
    doc: 'How long to wait for that lock before the change is given up and tried again.',
  }),
  iptablesLockProbeMilliseconds: parameter({
    group: 'iptables and ipset',
    felix: 'IptablesLockProbeIntervalMillis',
    type: milliseconds,
    default: 50,
    doc: 'Accepted so that an existing manifest works; without effect: the iptables programs wait for the lock by themselves.',
  }),
  coprocesses: parameter({
    group: 'iptables and ipset',
    env: ['CARACAL_COPROCESSES'],
    type: boolean,
    default: true,
    doc: 'Keep one iptables-restore and one ipset process running and write to them; false starts a process for each change, which costs some twenty times as much.',
  }),

  // ------------------------------------------------------------------------------------------------- Health and metrics
  healthEnabled: parameter({
    group: 'Health and metrics',
    felix: 'HealthEnabled',
    type: boolean,
    default: false,
    doc: 'Serve /liveness and /readiness.',
  }),
  healthHost: parameter({
    group: 'Health and metrics',
    felix: 'HealthHost',
    type: hostAddress,
    default: 'localhost',
    doc: 'Address to serve them on; localhost is 127.0.0.1 and ::1.',
  }),
  healthPort: parameter({
    group: 'Health and metrics',
    felix: 'HealthPort',
    type: PORT,
    default: 9099,
    doc: 'Port to serve them on.',
  }),
  dataplaneWatchdogSeconds: parameter({
    group: 'Health and metrics',
    felix: 'DataplaneWatchdogTimeout',
    type: seconds,
    default: 90,
    required: true,
    doc: 'How long the loop that writes to the kernel may be silent before /liveness says 503. At least 20, which is what one call of a tool may take.',
  }),
  metricsEnabled: parameter({
    group: 'Health and metrics',
    felix: 'PrometheusMetricsEnabled',
    type: boolean,
    default: false,
    doc: 'Serve /metrics for Prometheus.',
  }),
  metricsHost: parameter({
    group: 'Health and metrics',
    felix: 'PrometheusMetricsHost',
    type: hostAddress,
    default: '',
    doc: 'Address to serve it on; unset: all.',
  }),
  metricsPort: parameter({
    group: 'Health and metrics',
    felix: 'PrometheusMetricsPort',
    type: PORT,
    default: 9091,
    doc: 'Port to serve it on.',
  }),
  processMetrics: parameter({
    group: 'Health and metrics',
    felix: 'PrometheusProcessMetricsEnabled',
    type: boolean,
    default: true,
    doc: 'Include process_* and nodejs_* metrics.',
  }),

  // --------------------------------------------------------------------------------------------------------------- Logs
  logSeverity: parameter({
    group: 'Logs',
    felix: 'LogSeverityScreen',
    type: oneOf(['TRACE', 'DEBUG', 'INFO', 'WARNING', 'ERROR', 'FATAL', 'NONE'], 'NONE'),
    default: 'INFO',
    doc: 'The least severity that is logged to standard output.',
  }),
  logPrefix: parameter({
    group: 'Logs',
    felix: 'LogPrefix',
    type: logPrefix,
    default: 'calico-packet',
    doc: 'Start of the kernel\'s log lines for packets that a rule with action Log matches.',
  }),
  logRateLimit: parameter({
    group: 'Logs',
    felix: 'LogActionRateLimit',
    type: logRate,
    default: '',
    doc: 'The most of those lines that each rule may cause; unset: no limit.',
  }),
  logRateLimitBurst: parameter({
    group: 'Logs',
    felix: 'LogActionRateLimitBurst',
    type: integer(0, MANY),
    default: 5,
    doc: 'How many of them may come at once.',
  }),

  // ------------------------------------------------------------------------------------------------------------ Process
  runDirectory: parameter({
    group: 'Process',
    env: ['CARACAL_RUN_DIRECTORY'],
    flag: '--run-directory',
    type: path,
    default: '/var/run/calico',
    required: true,
    fatal: true,
    doc: 'Holds the lock that keeps a second agent on the same node from writing.',
  }),
});

export type Parameters = typeof parameters;
export type ParameterKey = keyof Parameters;

/** The effective value of every parameter. */
export type Config = { readonly [K in ParameterKey]: Parameters[K] extends Parameter<infer T> ? T : never };

/** The keys in the order of the table. */
export const parameterKeys = Object.freeze(Object.keys(parameters) as ParameterKey[]);

/** The name an operator knows it by. */
export function nameOf(definition: Parameter<unknown>): string {
  return definition.felix ?? definition.env?.at(-1) ?? '';
}

/** All its environment variables, the one that counts most first. */
export function variablesOf(definition: Parameter<unknown>): readonly string[] {
  return [...(definition.env ?? []), ...(definition.felix === undefined ? [] : [`FELIX_${definition.felix.toUpperCase()}`])];
}
