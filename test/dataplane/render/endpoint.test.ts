import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ActiveEndpoint } from '../../../src/model/desired.ts';
import type { DataplaneOptions } from '../../../src/dataplane/options.ts';
import { endpointChains } from '../../../src/dataplane/render/endpoint.ts';
import type { Chain } from '../../../src/dataplane/render/rule.ts';
import { endpoint, options, tier } from '../objects.ts';

const conntrack = ['-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', '-m conntrack --ctstate INVALID -j DROP'];
const clearVerdict = '-j MARK --set-xmark 0x0/0x30000';
const tunnels = [
  '-m comment --comment "Drop VXLAN encapped packets originating in workloads" -p udp -m multiport --dports 4789 -j DROP',
  '-m comment --comment "Drop IPinIP encapped packets originating in workloads" -p 4 -j DROP',
];
const source = '-m comment --comment "Source is not an address of the workload"';
const policyAccepted = '-m comment --comment "Return if policy accepted" -m mark --mark 0x10000/0x10000 -j RETURN';
const endOfTier = '-m comment --comment "End of tier default. Drop if no policies passed packet" -m mark --mark 0x0/0x20000 -j DROP';
const profileAccepted = '-m comment --comment "Return if profile accepted" -m mark --mark 0x10000/0x10000 -j RETURN';
const noProfile = '-m comment --comment "Drop if no profiles matched" -j DROP';

function render(fields: Partial<ActiveEndpoint> = {}, changed: Partial<DataplaneOptions> = {}): { ingress: string[]; egress: string[] } {
  const [ingress, egress] = endpointChains(endpoint('web', '1', fields), options(changed));
  return { ingress: texts(ingress), egress: texts(egress) };
}

function texts(chain: Chain | undefined): string[] {
  return (chain?.rules ?? []).map(({ text }) => text);
}

describe('endpoint chains', () => {
  it('are named after the interface', () => {
    assert.deepEqual(endpointChains(endpoint('web', '1'), options()).map(({ name }) => name), ['cali-tw-cali1', 'cali-fw-cali1']);
  });

  it('without policies go to the profiles, and drop when none accepts', () => {
    assert.deepEqual(render(), {
      ingress: [...conntrack, clearVerdict, '-j cali-pri-kns.default', profileAccepted, noProfile],
      egress: [`${source} ! -s 10.0.0.1/32 -j DROP`, ...conntrack, clearVerdict, ...tunnels, '-j cali-pro-kns.default', profileAccepted, noProfile],
    });
  });

  it('try the policies of a tier until one accepts, and drop at its end', () => {
    const { ingress } = render({ tiers: [tier({ ingress: ['knp/default/a', 'knp/default/b'] })] });
    assert.deepEqual(ingress, [
      ...conntrack,
      clearVerdict,
      '-m mark --mark 0x0/0x30000 -j cali-pi-knp/default/a',
      '-m mark --mark 0x0/0x30000 -j cali-pi-knp/default/b',
      policyAccepted,
      endOfTier,
      '-j cali-pri-kns.default',
      profileAccepted,
      noProfile,
    ]);
  });

  it('look for the verdict behind every fifth policy, and a policy more changes no jump', () => {
    const keys = Array.from({ length: 12 }, (_, i) => `gnp/p${i}`);
    const words = (count: number): string[] =>
      render({ tiers: [tier({ ingress: keys.slice(0, count) })] }).ingress.slice(3, -4).map((text) => (text === policyAccepted ? 'return' : text.replace(/.* -j cali-pi-gnp\//, '')));
    assert.deepEqual(words(5), ['p0', 'p1', 'p2', 'p3', 'p4', 'return']);
    assert.deepEqual(words(6), ['p0', 'p1', 'p2', 'p3', 'p4', 'return', 'p5', 'return']);
    assert.deepEqual(words(12), ['p0', 'p1', 'p2', 'p3', 'p4', 'return', 'p5', 'p6', 'p7', 'p8', 'p9', 'return', 'p10', 'p11', 'return']);
    const jumps = (list: readonly string[]): string[] => list.filter((text) => text.includes('-j cali-pi-'));
    const [before, after] = [keys.slice(1), keys].map((ingress) => jumps(render({ tiers: [tier({ ingress })] }).ingress));
    assert.deepEqual(after?.slice(1), before);
  });

  it('are not policed in a direction for which no policy applies', () => {
    const { egress } = render({ tiers: [tier({ ingress: ['knp/default/a'] })] });
    assert.deepEqual(egress.slice(-3), ['-j cali-pro-kns.default', profileAccepted, noProfile]);
    assert.ok(!egress.includes(endOfTier));
  });

  it('begin each further tier with a clear pass mark', () => {
    const { ingress } = render({ tiers: [tier({ name: 'admin', defaultAction: 'pass', ingress: ['gnp/a'] }), tier({ ingress: ['knp/default/b'] })] });
    assert.deepEqual(ingress.slice(3, 8), [
      '-m mark --mark 0x0/0x30000 -j cali-pi-gnp/a',
      policyAccepted,
      '-m comment --comment "Start of tier default" -j MARK --set-xmark 0x0/0x20000',
      '-m mark --mark 0x0/0x30000 -j cali-pi-knp/default/b',
      policyAccepted,
    ]);
  });

  it('check the source before anything else, with all addresses of the family', () => {
    const { egress } = render({ addresses: ['10.0.0.1', 'fd00::1', '10.0.0.2'] });
    assert.deepEqual(egress.slice(0, 5), [
      '-j MARK --set-xmark 0x0/0x80000',
      '-s 10.0.0.1/32 -j MARK --set-xmark 0x80000/0x80000',
      '-s 10.0.0.2/32 -j MARK --set-xmark 0x80000/0x80000',
      `${source} -m mark --mark 0x0/0x80000 -j DROP`,
      conntrack[0],
    ]);
  });

  it('let nothing out of a workload that has no address of the family', () => {
    assert.deepEqual(render({ addresses: ['fd00::1'] }).egress, ['-m comment --comment "The workload has no address of this family" -j DROP']);
  });

  it('return established traffic with the accept mark where allowed traffic is to see later rules', () => {
    const { ingress } = render({}, { allowAction: 'RETURN' });
    assert.deepEqual(ingress.slice(0, 2), [
      '-m conntrack --ctstate RELATED,ESTABLISHED -j MARK --set-xmark 0x10000/0x10000',
      '-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN',
    ]);
  });

  it('leave out what is configured away', () => {
    const { egress } = render({}, { disableConntrackInvalidCheck: true, allowVxlanFromWorkloads: true, allowIpipFromWorkloads: true });
    assert.deepEqual(egress.slice(1, 4), [conntrack[0], clearVerdict, '-j cali-pro-kns.default']);
  });

  it('reject where they would drop, if configured so', () => {
    const { ingress, egress } = render({ tiers: [tier({ ingress: ['gnp/a'] })] }, { denyAction: 'REJECT' });
    assert.ok([...ingress, ...egress].every((text) => !text.endsWith('DROP')));
    assert.equal(ingress.at(-1), '-m comment --comment "Reject if no profiles matched" -j REJECT');
  });
});
