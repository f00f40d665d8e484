import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DataplaneOptions } from '../../../src/dataplane/options.ts';
import { disjointPrefixes, dispatchEntries } from '../../../src/dataplane/render/dispatch.ts';
import { filterChains, filterHooks } from '../../../src/dataplane/render/static.ts';
import type { Rule } from '../../../src/dataplane/render/rule.ts';
import { options } from '../objects.ts';

const clear = '-j MARK --set-xmark 0x0/0x1f0000';
const unknown = '-m comment --comment "Unknown interface" -j DROP';

function texts(rules: readonly Rule[] | undefined): string[] {
  return (rules ?? []).map(({ text }) => text);
}

function chain(name: string, changed: Partial<DataplaneOptions> = {}, family: 4 | 6 = 4): { rules: string[]; tail: string[] } {
  const found = filterChains(options(changed, family)).find((candidate) => candidate.name === name);
  assert.ok(found, `chain ${name}`);
  return { rules: texts(found.rules), tail: found.kind === 'keyed' ? texts(found.tail) : [] };
}

describe('static chains', () => {
  it('forwarded packets: all our marks cleared, then from and to workloads', () => {
    assert.deepEqual(chain('cali-FORWARD').rules, [clear, '-i cali+ -j cali-from-wl-dispatch', '-o cali+ -j cali-to-wl-dispatch']);
  });

  it('packets to the host: marks cleared, and those from workloads go their own way', () => {
    assert.deepEqual(chain('cali-INPUT').rules, [clear, '-i cali+ -g cali-wl-to-host']);
  });

  it('packets from the host: marks cleared, nothing policed', () => {
    assert.deepEqual(chain('cali-OUTPUT').rules, [clear]);
  });

  it('every prefix is matched', () => {
    assert.deepEqual(chain('cali-FORWARD', { interfacePrefixes: ['cali', 'tap'] }).rules, [
      clear,
      '-i cali+ -j cali-from-wl-dispatch',
      '-i tap+ -j cali-from-wl-dispatch',
      '-o cali+ -j cali-to-wl-dispatch',
      '-o tap+ -j cali-to-wl-dispatch',
    ]);
  });

  it('workload to host: egress policy, then the configured action', () => {
    const configured = '-m comment --comment "Configured DefaultEndpointToHostAction"';
    assert.deepEqual(chain('cali-wl-to-host').rules, ['-j cali-from-wl-dispatch', `${configured} -j DROP`]);
    assert.deepEqual(chain('cali-wl-to-host', { endpointToHostAction: 'ACCEPT' }).rules, ['-j cali-from-wl-dispatch', `${configured} -j ACCEPT`]);
    assert.deepEqual(chain('cali-wl-to-host', { endpointToHostAction: 'RETURN' }).rules, ['-j cali-from-wl-dispatch']);
  });

  it('workload to host: answers to the host are not dropped where established traffic is not accepted at once', () => {
    assert.equal(chain('cali-wl-to-host', { allowAction: 'RETURN' }).rules[1], '-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN');
  });

  it('workload to host: neighbour discovery always passes in IPv6', () => {
    const { rules } = chain('cali-wl-to-host', {}, 6);
    assert.equal(rules.length, 8);
    assert.equal(rules[0], '-p icmpv6 -m icmp6 --icmpv6-type 130 -j ACCEPT');
  });
});

describe('dispatch', () => {
  it('fans out on the next hex digit and drops what it does not know', () => {
    const root = chain('cali-from-wl-dispatch');
    assert.equal(root.rules.length, 16);
    assert.equal(root.rules[10], '-i calia+ -g cali-from-wl-dispatch-a');
    assert.deepEqual(root.tail, [unknown]);
    assert.equal(chain('cali-to-wl-dispatch').rules[15], '-o calif+ -g cali-to-wl-dispatch-f');
    assert.deepEqual(chain('cali-to-wl-dispatch-0'), { rules: [], tail: [unknown] });
  });

  it('enters an endpoint in the small chain of its digit', () => {
    assert.deepEqual(
      dispatchEntries('cali0aa', options()).map((entry) => [entry.chain, entry.rule.text]),
      [
        ['cali-to-wl-dispatch-0', '-o cali0aa -g cali-tw-cali0aa'],
        ['cali-from-wl-dispatch-0', '-i cali0aa -g cali-fw-cali0aa'],
      ],
    );
  });

  it('enters names without a hex digit in the root', () => {
    for (const name of ['calixyz', 'cali', 'cali-1', 'cali.a0']) {
      assert.deepEqual(dispatchEntries(name, options()).map((entry) => entry.chain), ['cali-to-wl-dispatch', 'cali-from-wl-dispatch'], name);
    }
  });

  it('takes a dot in the name of an interface for a letter', () => {
    assert.deepEqual(dispatchEntries('cali0.aa', options()).map((entry) => entry.rule.text), ['-o cali0.aa -g cali-tw-cali0.aa', '-i cali0.aa -g cali-fw-cali0.aa']);
  });

  it('has no chain whose name is too long for iptables, whatever the prefix', () => {
    for (const { name } of filterChains(options({ interfacePrefixes: ['cali', 'abcdefghijklmno'] }))) assert.ok(name.length <= 28, name);
  });

  it('ignores prefixes that another one covers, so that a name matches one entry only', () => {
    assert.deepEqual(disjointPrefixes(['calic', 'cali', 'tap', 'cali']), ['cali', 'tap']);
  });

  it('writes no pattern longer than an interface name', () => {
    assert.deepEqual(chain('cali-FORWARD', { interfacePrefixes: ['abcdefghijklmno'] }).rules[1], '-i abcdefghijklmno -j cali-from-wl-dispatch');
    assert.equal(chain('cali-from-wl-dispatch', { interfacePrefixes: ['abcdefghijklmn'] }).rules[0], '-i abcdefghijklmn0 -g cali-from-wl-dispatch-0');
  });
});

describe('hooks', () => {
  const accepted = '-m comment --comment "Policy explicitly accepted packet." -m mark --mark 0x10000/0x10000 -j ACCEPT';
  const place = (mode: 'insert' | 'append', changed: Partial<DataplaneOptions> = {}): unknown =>
    filterHooks(options(changed), mode).map((hook) => [hook.chain, texts(hook.inserted), texts(hook.appended)]);

  it('jump from the top, and accept what policy allowed at the end of FORWARD', () => {
    assert.deepEqual(place('insert'), [
      ['INPUT', ['-j cali-INPUT'], []],
      ['FORWARD', ['-j cali-FORWARD'], [accepted]],
      ['OUTPUT', ['-j cali-OUTPUT'], []],
    ]);
  });

  it('jump from the end in append mode', () => {
    assert.deepEqual(place('append'), [
      ['INPUT', [], ['-j cali-INPUT']],
      ['FORWARD', [], ['-j cali-FORWARD', accepted]],
      ['OUTPUT', [], ['-j cali-OUTPUT']],
    ]);
  });

  it('leave the last word to later rules where allowed packets return', () => {
    assert.match(JSON.stringify(place('insert', { allowAction: 'RETURN' })), /0x10000\/0x10000 -j RETURN/);
  });
});
