// Which iptables this node uses, nft or legacy: rules in the other one would be evaluated as well, but nobody would look there. The
// rules of Felix: hints that the kubelet leaves in mangle decide, nft first; then the number of rules. One difference: where both have
// equally many and legacy is not even loaded, Felix takes legacy and loads it; here it is nft, if its tool works.

import type { HostRules } from './host-rules.ts';
import type { Backend } from './tools.ts';

export type BackendSetting = 'auto' | Backend;

export interface BackendChoice {
  readonly backend: Backend;
  /** For the log. */
  readonly reason: string;
  /** When the setting contradicts what the node shows. */
  readonly warning?: string;
}

export function chooseBackend(rules: HostRules, setting: BackendSetting): BackendChoice {
  const detected = detect(rules);
  if (setting === 'auto') return detected;
  const reason = 'set by configuration';
  if (setting === detected.backend || !holdsRules(rules, detected.backend)) return { backend: setting, reason };
  return {
    backend: setting,
    reason,
    warning: `the iptables backend is set to ${setting}, but this node looks like ${detected.backend} (${detected.reason}): ` +
      `rules of two backends are both in force. Remedy: set it to auto, unless the ${detected.backend} rules are known to be left over`,
  };
}

function detect(rules: HostRules): BackendChoice {
  for (const backend of ['nft', 'legacy'] as const) {
    if (rules.some((read) => read.backend === backend && hasKubeletChain(read.text))) {
      return { backend, reason: `the kubelet's chains are in the ${backend} mangle table` };
    }
  }
  const nft = countRules(rules, 'nft');
  const legacy = countRules(rules, 'legacy');
  if (nft !== legacy) {
    return { backend: nft > legacy ? 'nft' : 'legacy', reason: `${nft} rules in nft, ${legacy} in legacy` };
  }
  if (!isInUse(rules, 'legacy') && isInUse(rules, 'nft')) {
    return { backend: 'nft', reason: `${nft} rules in either, and the legacy modules are not loaded` };
  }
  return { backend: 'legacy', reason: `${nft} rules in either` };
}

function holdsRules(rules: HostRules, backend: Backend): boolean {
  return countRules(rules, backend) > 0 || rules.some((read) => read.backend === backend && hasKubeletChain(read.text));
}

function hasKubeletChain(text: string): boolean {
  const start = text.indexOf('*mangle\n');
  if (start < 0) return false;
  const end = text.indexOf('\nCOMMIT\n', start);
  return /^:(?:KUBE-IPTABLES-HINT|KUBE-KUBELET-CANARY) /m.test(text.slice(start, end < 0 ? undefined : end));
}

function countRules(rules: HostRules, backend: Backend): number {
  return rules.filter((read) => read.backend === backend).reduce((sum, { text }) => sum + (text.match(/^-A /gm)?.length ?? 0), 0);
}

function isInUse(rules: HostRules, backend: Backend): boolean {
  return rules.some((read) => read.backend === backend && read.inUse);
}
