// The labels that selectors see: somebody's own and those that he inherits. Nobody may give himself those that say where he
// belongs: a label that pretends to be inherited, or to name a namespace, an orchestrator or a service account, does not count.

import type { LabelMap } from './label-selector.ts';

export const namespaceLabel = 'projectcalico.org/namespace';
export const orchestratorLabel = 'projectcalico.org/orchestrator';
export const serviceAccountLabel = 'projectcalico.org/serviceaccount';

export function ownLabels(labels: LabelMap): LabelMap {
  const reserved = [namespaceLabel, orchestratorLabel, serviceAccountLabel];
  return new Map([...labels].filter(([key]) => !/^pc(ns|sa)\./.test(key) && !reserved.includes(key)));
}

/** What whatever is in a namespace inherits from it: nothing where the Namespace is absent. */
export function inheritedFromNamespace(name: string, labels: LabelMap | undefined): LabelMap {
  return prefixed('pcns.', name, labels);
}

export function inheritedFromServiceAccount(name: string, labels: LabelMap | undefined): LabelMap {
  return prefixed('pcsa.', name, labels);
}

function prefixed(prefix: string, name: string, labels: LabelMap | undefined): LabelMap {
  if (labels === undefined) return new Map();
  const inherited = [...labels].map(([key, value]) => [prefix + key, value] as const);
  return new Map([...inherited, [`${prefix}projectcalico.org/name`, name]]);
}
