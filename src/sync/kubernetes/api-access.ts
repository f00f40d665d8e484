// How the API server is reached, and as whom. In: the options of the operator. Out: a KubeConfig of client-node, read anew at each
// call, with credentials that nobody has cached.

import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

import { type Cluster, KubeConfig, type User } from '@kubernetes/client-node';

import { SourceOptionsInvalid } from '../errors.ts';

/** Empty texts count as absent. What is given here wins over what a kubeconfig file or the service account says. */
export interface ApiAccess {
  /** Kubeconfig file. Absent: ~/.kube/config where there is one, else the pod's service account. */
  readonly kubeconfig?: string;
  readonly context?: string;
  /** URL. */
  readonly endpoint?: string;
  readonly token?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly caFile?: string;
  /** Trusts any certificate, and allows http: URLs. */
  readonly insecure?: boolean;
}

/** @throws SourceOptionsInvalid when it says nothing usable. */
export function loadKubeConfig(access: ApiAccess): KubeConfig {
  const config = baseConfig(access);
  if (given(access.context)) config.setCurrentContext(access.context);
  const base = config.getCurrentCluster();
  const user = config.getCurrentUser();
  const server = given(access.endpoint) ? access.endpoint : base?.server;
  if (server === undefined || !URL.canParse(server)) {
    throw new SourceOptionsInvalid('no address of the API server is known', 'run in a pod, name a kubeconfig file with KUBECONFIG, or set K8S_API_ENDPOINT');
  }
  if (base?.proxyUrl !== undefined) {
    throw new SourceOptionsInvalid('the kubeconfig names a proxy-url, which is not supported', 'remove it and name an address that can be reached directly');
  }
  const authority = given(access.caFile) ? { caFile: access.caFile } : inherited(base, ['caFile', 'caData']);
  const cluster: Cluster = {
    ...inherited(base, ['tlsServerName']),
    ...authority,
    name: 'cluster',
    server: server.replace(/\/+$/, ''),
    skipTLSVerify: access.insecure === true || base?.skipTLSVerify === true,
  };
  const certificate = given(access.certFile) ? { certFile: access.certFile, ...(given(access.keyFile) ? { keyFile: access.keyFile } : {}) } : undefined;
  const merged: User = { ...withoutToken(user, access.token), ...certificate, name: 'agent' };
  config.loadFromClusterAndUser(cluster, merged);
  return config;
}

function baseConfig(access: ApiAccess): KubeConfig {
  const config = new KubeConfig();
  const home = path.join(homedir(), '.kube', 'config');
  const file = given(access.kubeconfig) ? access.kubeconfig : !given(access.endpoint) && existsSync(home) ? home : undefined;
  if (file !== undefined) {
    try {
      config.loadFromString(withTokenFiles(readFileSync(file, 'utf8'), path.dirname(file)));
      config.makePathsAbsolute(path.dirname(file));
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new SourceOptionsInvalid(`the kubeconfig file ${file} can't be read (${reason})`, 'correct it, or name another one with KUBECONFIG', { cause });
    }
  } else if (process.env['KUBERNETES_SERVICE_HOST'] !== undefined) {
    config.loadFromCluster();
  }
  return config;
}

/** client-node knows the field tokenFile by an older name only, and reads it relative to the working directory. */
function withTokenFiles(text: string, directory: string): string {
  return text.replaceAll(/(["']?)\btokenFile\1\s*:\s*(["']?)([^"'\n,}]+)\2/g, (_match, _quote, _valueQuote, file: string) =>
    `"token-file": ${JSON.stringify(path.resolve(directory, file.trim()))}`);
}

/** A token that is given takes the place of whatever else the user would present as one. */
function withoutToken(user: User | null, token: string | undefined): Omit<User, 'name'> {
  if (!given(token)) return user ?? {};
  return { ...inherited(user, ['certFile', 'certData', 'keyFile', 'keyData', 'impersonateUser']), token: token.trim() };
}

function inherited<T extends object, K extends keyof T>(from: T | null, fields: readonly K[]): Partial<Pick<T, K>> {
  const copy: Partial<Pick<T, K>> = {};
  for (const field of fields) if (from?.[field] !== undefined) copy[field] = from[field];
  return copy;
}

function given(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}
