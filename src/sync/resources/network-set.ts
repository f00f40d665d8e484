// NetworkSet and GlobalNetworkSet → NetworkSet. In: anything. Out: its labels and networks. One that breaks a rule of the API in any
// part is broken: calc then takes it for every address where that can only close, and for none elsewhere.

import { deepEqual } from '../../lib/deep-equal.ts';
import { type Labels, labelsOf } from '../../model/labels.ts';
import { canonicalCidr } from '../../model/net/cidr.ts';
import type { NetworkSet } from '../../model/network-set.ts';
import { type CalicoMeta, calicoVersions, originOf, readCalicoMeta } from './calico-metadata.ts';
import type { DecodeContext } from './decode-context.ts';
import { namespaceProfileName } from './namespace.ts';
import { type Decoded, ProblemList, type Report } from './problem.ts';
import type { Resource, WireKind } from './resource.ts';
import { fieldsOf, knowsAll, readFields, readList, shown } from './wire.ts';

export const globalNetworkSets: Resource<'networkSet'> = {
  kind: 'GlobalNetworkSet',
  ...calicoVersions,
  plural: 'globalnetworksets',
  namespaced: false,
  valueKind: 'networkSet',
  key: ({ name }) => `/${name}`,
  decode: (object, context) => decodeNetworkSet(object, globalNetworkSets, context),
  same: sameSet,
};

export const networkSets: Resource<'networkSet'> = {
  kind: 'NetworkSet',
  ...calicoVersions,
  plural: 'networksets',
  namespaced: true,
  valueKind: 'networkSet',
  key: ({ namespace, name }) => `${namespace}/${name}`,
  decode: (object, context) => decodeNetworkSet(object, networkSets, context),
  same: sameSet,
};

function decodeNetworkSet(object: unknown, kind: WireKind, context: DecodeContext): Decoded<NetworkSet> {
  const { problems, report } = new ProblemList();
  const meta = readCalicoMeta(object, kind, report);
  if (meta === undefined) return { value: undefined, problems, consequence: 'the set is ignored' };
  const nets = readNets(object, report);
  const value: NetworkSet = {
    origin: originOf(kind, meta),
    labels: context.list(setLabels(meta)),
    profiles: meta.namespace === '' ? [] : context.list([namespaceProfileName(meta.namespace)]),
    nets,
  };
  if (problems.length === 0) return { value, problems };
  const consequence = 'it is no address to rules that allow, and every address to rules that deny';
  return { value: { ...value, nets: [], isBroken: true }, problems, consequence };
}

function setLabels({ labels, namespace }: CalicoMeta): Labels {
  const own = Object.entries(labels);
  return labelsOf(namespace === '' ? own : [...own, ['projectcalico.org/namespace', namespace]]);
}

function readNets(object: unknown, report: Report): readonly string[] {
  const spec = readFields(fieldsOf(object)?.['spec'], 'spec', report) ?? {};
  knowsAll(spec, ['nets'], 'spec', report);
  const nets = (readList(spec['nets'], 'spec.nets', report) ?? []).map((entry, i) => {
    const cidr = typeof entry === 'string' ? canonicalCidr(entry) : undefined;
    if (cidr === undefined) report(`spec.nets[${i}]`, `${shown(entry)} is neither a CIDR nor an address`, 'write it like 10.0.0.0/24 or fd00::1, without leading zeros');
    return cidr;
  });
  return [...new Set(nets.filter((cidr) => cidr !== undefined))];
}

/** The generation does not count: nothing is made of it. */
function sameSet(a: NetworkSet, b: NetworkSet): boolean {
  return deepEqual({ ...a, origin: undefined }, { ...b, origin: undefined });
}
