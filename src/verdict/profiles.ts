// Profiles: what an endpoint inherits labels from, and what allows where no policy applies. Namespaces and service accounts are
// profiles, kns.<namespace> and ksa.<namespace>.<name>; projectcalico-default-allow is one that host endpoints may name.

import type { LabelMap } from './label-selector.ts';
import { inheritedFromNamespace, inheritedFromServiceAccount } from './labels.ts';

export class Profiles {
  /** Labels of each Namespace. */
  readonly namespaces = new Map<string, LabelMap>();
  /** Labels of each ServiceAccount, by "namespace/name". */
  readonly serviceAccounts = new Map<string, LabelMap>();

  /** What an endpoint with this profile inherits. */
  labelsOf(profile: string): LabelMap {
    const { namespace, account } = parse(profile);
    if (account !== undefined) return inheritedFromServiceAccount(account, this.serviceAccounts.get(`${namespace}/${account}`));
    return namespace === undefined ? new Map() : inheritedFromNamespace(namespace, this.namespaces.get(namespace));
  }

  /** What the profile does with a packet: undefined when it has no rule about it. One that does not exist denies. */
  actionOf(profile: string): 'allow' | 'deny' | undefined {
    if (profile === 'projectcalico-default-allow') return 'allow';
    const { namespace, account } = parse(profile);
    if (account !== undefined) return this.serviceAccounts.has(`${namespace}/${account}`) ? undefined : 'deny';
    return namespace !== undefined && this.namespaces.has(namespace) ? 'allow' : 'deny';
  }
}

/** A namespace's name has no dots, so the first one ends it. */
function parse(profile: string): { readonly namespace?: string; readonly account?: string } {
  const [, kind, namespace = '', account] = /^(kns|ksa)\.([^.]*)(?:\.(.*))?$/.exec(profile) ?? [];
  if (kind === 'kns' && account === undefined) return { namespace };
  return kind === 'ksa' && account !== undefined ? { namespace, account } : {};
}
