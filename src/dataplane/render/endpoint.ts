// The two chains of a workload endpoint: cali-tw-<interface> (ingress, to the workload) and cali-fw-<interface> (egress).
//
// In: an ActiveEndpoint. Out: two chains that return with the accept mark set, accept an established connection, or drop.
// Order of a chain:
//   source check (egress only)    before the established rule: a forged address never rides on somebody's connection
//   conntrack                     established and related pass, invalid is dropped
//   marks cleared                 the other direction's verdict on the same packet must not count here
//   tunnel packets (egress only)
//   tiers                         each policy until one accepts or passes; end of tier drops unless one passed
//   profiles                      reached when no tier applies in this direction, or all of them passed

import type { ActiveEndpoint, EndpointTier } from '../../model/desired.ts';
import { familyOf } from '../../model/net/cidr.ts';
import { encodeAddress } from '../encoding.ts';
import { connectionState, markClear, markSet, net, ports, protocol } from './match.ts';
import { endpointChainName, policyChainName, profileChainName } from './names.ts';
import type { Direction } from './names.ts';
import { denyTarget, denyWord } from './options.ts';
import type { RenderOptions } from './options.ts';
import { builtin, clearMark, jump, rule, setMark } from './rule.ts';
import type { Chain, Rule } from './rule.ts';

const ipip = 4;
const udp = 17;
/** What one of them accepted skips the others; looking for the mark behind each of them would cost most packets more (docs/adr/0006). */
const policiesBetweenReturns = 5;

/** Ingress, then egress. Throws EncodingRefused. */
export function endpointChains(endpoint: ActiveEndpoint, options: RenderOptions): Chain[] {
  return (['ingress', 'egress'] as const).map((direction) => ({
    kind: 'ordered',
    name: endpointChainName(direction, endpoint.interfaceName),
    rules: endpointRules(endpoint, direction, options),
    origin: endpoint.origin,
  }));
}

function endpointRules(endpoint: ActiveEndpoint, direction: Direction, options: RenderOptions): Rule[] {
  const { marks } = options;
  const rules: Rule[] = [];
  if (direction === 'egress') {
    const addresses = endpoint.addresses.filter((address) => familyOf(address) === options.family);
    rules.push(...sourceCheck(addresses, options));
    if (addresses.length === 0) return rules;
  }
  rules.push(...conntrackRules(options));
  rules.push(rule([], clearMark((marks.accept | marks.pass) >>> 0)));
  if (direction === 'egress') rules.push(...tunnelRules(options));
  const tiers = endpoint.tiers.filter((tier) => tier[direction].length > 0);
  for (const [i, tier] of tiers.entries()) rules.push(...tierRules(tier, direction, i === 0, options));
  for (const profile of endpoint.profiles) {
    rules.push(rule([], jump(profileChainName(direction, profile))));
    rules.push(rule([markSet(marks.accept)], builtin('RETURN'), 'Return if profile accepted'));
  }
  rules.push(rule([], denyTarget(options), `${denyWord(options)} if no profiles matched`));
  return rules;
}

/** A workload speaks with its own addresses only. */
function sourceCheck(addresses: readonly string[], options: RenderOptions): Rule[] {
  const { scratch0 } = options.marks;
  const deny = denyTarget(options);
  const bits = options.family === 4 ? 32 : 128;
  const [only, ...others] = addresses.map((address) => `${encodeAddress(address)}/${bits}`);
  if (only === undefined) return [rule([], deny, 'The workload has no address of this family')];
  const comment = 'Source is not an address of the workload';
  if (others.length === 0) return [rule([net('source', only, true)], deny, comment)];
  return [
    rule([], clearMark(scratch0)),
    ...[only, ...others].map((cidr) => rule([net('source', cidr)], setMark(scratch0))),
    rule([markClear(scratch0)], deny, comment),
  ];
}

function conntrackRules(options: RenderOptions): Rule[] {
  const established = connectionState('RELATED,ESTABLISHED');
  const rules: Rule[] = [];
  if (options.allowAction === 'RETURN') rules.push(rule([established], setMark(options.marks.accept)));
  rules.push(rule([established], builtin(options.allowAction)));
  if (!options.disableConntrackInvalidCheck) rules.push(rule([connectionState('INVALID')], denyTarget(options)));
  return rules;
}

function tunnelRules(options: RenderOptions): Rule[] {
  const deny = denyTarget(options);
  const rules: Rule[] = [];
  if (!options.allowVxlanFromWorkloads) {
    const port = ports('destination', [{ first: options.vxlanPort, last: options.vxlanPort }], udp);
    rules.push(rule([protocol(udp), ...port], deny, `${denyWord(options)} VXLAN encapped packets originating in workloads`));
  }
  if (!options.allowIpipFromWorkloads) {
    rules.push(rule([protocol(ipip)], deny, `${denyWord(options)} IPinIP encapped packets originating in workloads`));
  }
  return rules;
}

function tierRules(tier: EndpointTier, direction: Direction, first: boolean, options: RenderOptions): Rule[] {
  const { accept, pass } = options.marks;
  const rules: Rule[] = [];
  // Ahead of the first tier the mark is clear already.
  if (!first) rules.push(rule([], clearMark(pass), `Start of tier ${tier.name}`));
  const policies = tier[direction];
  for (const [i, key] of policies.entries()) {
    // All alike, so that a policy more changes no other rule.
    rules.push(rule([markClear((accept | pass) >>> 0)], jump(policyChainName(direction, key))));
    if (i === policies.length - 1 || i % policiesBetweenReturns === policiesBetweenReturns - 1) {
      rules.push(rule([markSet(accept)], builtin('RETURN'), 'Return if policy accepted'));
    }
  }
  if (tier.defaultAction === 'deny') {
    rules.push(rule([markClear(pass)], denyTarget(options), `End of tier ${tier.name}. ${denyWord(options)} if no policies passed packet`));
  }
  return rules;
}
