// Kinds that say how a cluster is set up: nodes, address pools, Calico's own configuration. They are checked and counted; nothing is
// made of them yet, so that nothing is wrong with a field that is not read.

import { canonicalAddress, parseCidr } from '../../model/net/cidr.ts';
import { calicoVersions, readCalicoMeta } from './calico-metadata.ts';
import { type Decoded, ProblemList, type Report } from './problem.ts';
import type { CountedResource } from './resource.ts';
import { readSelector } from './selector-field.ts';
import { type Fields, fieldsOf, isAbsent, readFields, readList, shown } from './wire.ts';

export const ipPools = calicoSettings('IPPool', 'ippools', (spec, report) => {
  checkCidr(spec['cidr'], 'spec.cidr', report);
  for (const name of ['ipipMode', 'vxlanMode']) checkChoice(spec[name], ['Never', 'Always', 'CrossSubnet'], `spec.${name}`, report);
  for (const name of ['natOutgoing', 'disabled', 'disableBGPExport']) checkFlag(spec[name], `spec.${name}`, report);
  checkChoice(spec['assignmentMode'], ['Automatic', 'Manual'], 'spec.assignmentMode', report);
  for (const [i, use] of (readList(spec['allowedUses'], 'spec.allowedUses', report) ?? []).entries()) {
    checkChoice(use, ['Workload', 'Tunnel', 'LoadBalancer'], `spec.allowedUses[${i}]`, report);
  }
});

export const felixConfigurations = calicoSettings('FelixConfiguration', 'felixconfigurations', (spec, report) => {
  readSelector(spec['nodeSelector'], 'spec.nodeSelector', report);
});

export const clusterInformations = calicoSettings('ClusterInformation', 'clusterinformations', (spec, report) => {
  checkFlag(spec['datastoreReady'], 'spec.datastoreReady', report);
});

export const bgpConfigurations = calicoSettings('BGPConfiguration', 'bgpconfigurations', (spec, report) => {
  for (const name of ['serviceClusterIPs', 'serviceExternalIPs', 'serviceLoadBalancerIPs']) {
    for (const [i, block] of (readList(spec[name], `spec.${name}`, report) ?? []).entries()) {
      checkCidr(fieldsOf(block)?.['cidr'], `spec.${name}[${i}].cidr`, report);
    }
  }
});

export const nodes: CountedResource = {
  kind: 'Node',
  apiVersion: 'v1',
  gating: 'none',
  plural: 'nodes',
  namespaced: false,
  decode: (object) => decodeSettings(object, nodes, checkNode),
};

type Check = (spec: Fields, report: Report, object: Fields) => void;

function calicoSettings(kind: string, plural: string, check: Check): CountedResource {
  const resource: CountedResource = { kind, ...calicoVersions, gating: 'none', plural, namespaced: false, decode: (object) => decodeSettings(object, resource, check) };
  return resource;
}

function decodeSettings(object: unknown, kind: CountedResource, check: Check): Decoded<true> {
  const { problems, report } = new ProblemList();
  const meta = readCalicoMeta(object, kind, report);
  const fields = fieldsOf(object) ?? {};
  const spec = readFields(fields['spec'], 'spec', report);
  if (spec !== undefined) check(spec, report, fields);
  const value = meta === undefined ? undefined : true;
  return problems.length === 0 ? { value, problems } : { value, problems, consequence: 'the fields named are not used' };
}

function checkNode(spec: Fields, report: Report, { status }: Fields): void {
  for (const [i, cidr] of (readList(spec['podCIDRs'], 'spec.podCIDRs', report) ?? []).entries()) checkCidr(cidr, `spec.podCIDRs[${i}]`, report);
  const list = readList((readFields(status, 'status', report) ?? {})['addresses'], 'status.addresses', report) ?? [];
  for (const [i, entry] of list.entries()) {
    const { type, address } = fieldsOf(entry) ?? {};
    const isAddress = type === 'InternalIP' || type === 'ExternalIP';
    if (isAddress && (typeof address !== 'string' || canonicalAddress(address) === undefined)) report(`status.addresses[${i}].address`, `${shown(address)} is no address`);
  }
}

function checkCidr(value: unknown, field: string, report: Report): void {
  if (typeof value !== 'string' || parseCidr(value) === undefined) report(field, `${shown(value)} is no CIDR`, 'write it like 10.0.0.0/16 or fd00::/64, without leading zeros');
}

function checkChoice(value: unknown, choices: readonly string[], field: string, report: Report): void {
  if (isAbsent(value) || value === '' || (typeof value === 'string' && choices.includes(value))) return;
  report(field, `${shown(value)} is none of the values there are`, `use one of ${choices.join(', ')}`);
}

function checkFlag(value: unknown, field: string, report: Report): void {
  if (!isAbsent(value) && typeof value !== 'boolean') report(field, `${shown(value)} must be true or false`);
}
