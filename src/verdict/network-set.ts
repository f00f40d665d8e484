// NetworkSet and GlobalNetworkSet: labelled lists of networks that selectors of Calico's rules may mean. Kubernetes' policies
// never mean them.
//
// One that is broken anywhere counts as every address where that can only close, and as none elsewhere; it keeps the labels that
// can be read, for they say which rules it concerns.

import type { WireObject } from '../model/verdict.ts';
import { readableLabels, readCalicoMetadata } from './calico-metadata.ts';
import { contains, readNet } from './cidr.ts';
import type { Address, Cidr } from './cidr.ts';
import type { LabelMap } from './label-selector.ts';
import { inheritedFromNamespace, namespaceLabel, ownLabels } from './labels.ts';
import { knowsAll, readAll, readFields, readList } from './wire.ts';
import type { Report } from './wire.ts';

export interface NetworkSet {
  readonly labels: LabelMap;
  /** "broken": nobody knows which. */
  readonly nets: readonly Cidr[] | 'broken';
}

export function covers({ nets }: NetworkSet, address: Address, brokenCounts: boolean): boolean {
  return nets === 'broken' ? brokenCounts : nets.some((net) => contains(net, address));
}

export function readNetworkSet(object: WireObject, namespaces: ReadonlyMap<string, LabelMap>, report: Report): NetworkSet {
  const isGlobal = object.kind === 'GlobalNetworkSet';
  const metadata = readCalicoMetadata(object, isGlobal ? 'cluster' : 'namespaced', report);
  const spec = readFields(object['spec'], 'spec', report);
  const isKnown = spec && knowsAll(spec, ['nets'], 'spec', report);
  const list = spec && readList(spec['nets'], 'spec.nets', report);
  const nets = list && readAll(list, 'spec.nets', (net, field) => readNet(net, field, report));

  const labels = new Map(ownLabels(metadata?.labels ?? readableLabels(object)));
  if (!isGlobal) {
    const namespace = String(object.metadata.namespace);
    labels.set(namespaceLabel, namespace);
    for (const [key, value] of inheritedFromNamespace(namespace, namespaces.get(namespace))) labels.set(key, value);
  }
  return { labels, nets: (metadata && isKnown && nets) || 'broken' };
}
