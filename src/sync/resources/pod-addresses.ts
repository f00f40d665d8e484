// A pod's addresses, and whether it still has any use for them. The CNI plugin writes its annotations before the kubelet reports
// the status, so a policy can be in force before the pod's first packet.

import { canonicalAddress, formatAddress, parseCidr } from '../../model/net/cidr.ts';
import type { Report } from './problem.ts';
import { type Fields, fieldsOf, isAbsent, readList, shown } from './wire.ts';

type Annotations = Readonly<Record<string, string>>;

const calicoAddress = 'cni.projectcalico.org/podIP';
const calicoAddresses = 'cni.projectcalico.org/podIPs';
const amazonAddresses = 'vpc.amazonaws.com/pod-ips';

/** Nobody's. The kernel's sets of addresses and ports do not take it, and whoever may create pods can write it into an annotation. */
const unspecified: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/**
 * A finished pod's address may be another pod's by now. One that is being deleted is finished when its CNI plugin has emptied its
 * annotation; until then its policy holds.
 */
export function isFinished(meta: Fields, status: Fields, annotations: Annotations): boolean {
  const { phase } = status;
  if (phase === 'Failed' || phase === 'Succeeded' || phase === 'Completed') return true;
  return !isAbsent(meta['deletionTimestamp']) && (annotations[calicoAddress] === '' || annotations[amazonAddresses] === '');
}

/** From the first place that names any: canonical, without repetitions; undefined (and reported) when one cannot be read. */
export function readPodAddresses(status: Fields, annotations: Annotations, report: Report): readonly string[] | undefined {
  const fromStatus = readStatusAddresses(status, report);
  if (fromStatus === undefined || fromStatus.length > 0) return fromStatus;
  for (const annotation of [calicoAddresses, calicoAddress, amazonAddresses]) {
    const texts = (annotations[annotation] ?? '').split(',').map((text) => text.trim()).filter((text) => text !== '');
    if (texts.length > 0) return readAll(texts, (text) => readHostAddress(text, `metadata.annotations[${annotation}]`, report));
  }
  return [];
}

function readStatusAddresses(status: Fields, report: Report): readonly string[] | undefined {
  const list = readList(status['podIPs'], 'status.podIPs', report);
  if (list === undefined) return undefined;
  const texts = list.map((entry) => (isAbsent(entry) ? undefined : (fieldsOf(entry) ?? { ip: entry })['ip'])).filter((text) => !isAbsent(text) && text !== '');
  if (texts.length > 0) return readAll(texts, (text) => readAddress(text, 'status.podIPs', report));
  const { podIP } = status;
  return isAbsent(podIP) || podIP === '' ? [] : readAll([podIP], (text) => readAddress(text, 'status.podIP', report));
}

function readAll<T>(list: readonly T[], read: (value: T) => string | undefined): readonly string[] | undefined {
  const addresses = list.map(read);
  return addresses.every((address) => address !== undefined) ? [...new Set(addresses)] : undefined;
}

function readAddress(value: unknown, field: string, report: Report): string | undefined {
  const address = typeof value === 'string' ? canonicalAddress(value) : undefined;
  if (address !== undefined && !unspecified.has(address)) return address;
  report(field, `${shown(value)} is no address of a pod`);
  return undefined;
}

/** Annotations carry addresses as networks of one address, too. */
function readHostAddress(text: string, field: string, report: Report): string | undefined {
  const cidr = parseCidr(text);
  const isHost = cidr !== undefined && cidr.prefix === (cidr.family === 4 ? 32 : 128);
  return readAddress(isHost ? formatAddress(cidr) : text, field, report);
}
