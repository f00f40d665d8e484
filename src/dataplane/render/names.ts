// Names of our chains: Felix's, so that each agent finds, adopts and cleans what the other left.

import { hash } from 'node:crypto';

/** What iptables accepts. */
export const chainNameLimit = 28;

/** Chains under these prefixes are ours, whoever wrote them: Felix's current one and its historic ones. */
const ownPrefixes = ['cali-', 'califw-', 'calitw-', 'califh-', 'calith-', 'calipi-', 'calipo-', 'felix-'];

export function isOwnChain(name: string): boolean {
  return ownPrefixes.some((prefix) => name.startsWith(prefix)) && isPlainName(name);
}

/** Of characters that need no quotes: a chain of another name was made by neither agent, and is nothing that we write. */
export function isPlainName(name: string): boolean {
  return /^[A-Za-z0-9._:/-]+$/.test(name);
}

/** Prefix + id where that fits, else prefix + "_" + as much of the id's hash as fits. */
export function limitedName(prefix: string, id: string): string {
  const length = prefix.length + id.length;
  // An id that looks like a shortened one must not be able to collide with one; an odd character is not shown to iptables.
  if (isPlainName(id) && (length < chainNameLimit || (length === chainNameLimit && !id.startsWith('_')))) return prefix + id;
  return `${prefix}_${hash('sha256', id, 'base64url')}`.slice(0, chainNameLimit);
}

export const chains = Object.freeze({
  forward: 'cali-FORWARD',
  input: 'cali-INPUT',
  output: 'cali-OUTPUT',
  workloadToHost: 'cali-wl-to-host',
  fromWorkloads: 'cali-from-wl-dispatch',
  toWorkloads: 'cali-to-wl-dispatch',
  /** Nothing leads there: for asking the kernel whether it takes rules. */
  probe: 'cali-probe',
});

export type Direction = 'ingress' | 'egress';

/** `key` is policyKey(). */
export function policyChainName(direction: Direction, key: string): string {
  return limitedName(direction === 'ingress' ? 'cali-pi-' : 'cali-po-', key);
}

export function profileChainName(direction: Direction, name: string): string {
  return limitedName(direction === 'ingress' ? 'cali-pri-' : 'cali-pro-', name);
}

/** Ingress is what goes to the workload. */
export function endpointChainName(direction: Direction, interfaceName: string): string {
  return limitedName(direction === 'ingress' ? 'cali-tw-' : 'cali-fw-', interfaceName);
}
