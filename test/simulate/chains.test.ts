// How a packet moves through chains: jumps, gotos, returns, policies, loops.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SimulationError } from '../../src/simulate/errors.ts';
import { loadKernel } from '../../src/simulate/kernel.ts';
import { simulate } from '../../src/simulate/simulate.ts';
import type { Simulation } from '../../src/simulate/simulate.ts';
import { filterTable, kernelOf, packet } from './filter-table.ts';

/** "allow by chain number" or "deny by policy". */
function outcome(simulation: Simulation): string {
  const { decidedBy } = simulation;
  return `${simulation.action} by ${decidedBy.kind === 'rule' ? `${decidedBy.rule.chain} ${decidedBy.rule.number}` : `policy of ${decidedBy.chain}`}`;
}

function outcomeOf(rules: readonly string[], policies: Parameters<typeof filterTable>[1] = {}): string {
  return outcome(simulate(loadKernel({ ipv4: filterTable(rules, policies), sets: '' }), packet()));
}

describe('a packet in a chain', () => {
  it('is decided by the first terminal rule that matches', () => {
    assert.equal(outcomeOf(['-A FORWARD -p udp -j ACCEPT', '-A FORWARD -p tcp -j DROP', '-A FORWARD -j ACCEPT']), 'deny by FORWARD 2');
  });

  it('falls to the policy when nothing decides', () => {
    assert.equal(outcomeOf(['-A FORWARD -p udp -j DROP']), 'allow by policy of FORWARD');
    assert.equal(outcomeOf(['-A FORWARD -p udp -j ACCEPT'], { FORWARD: 'DROP' }), 'deny by policy of FORWARD');
  });

  it('is denied by every kind of REJECT', () => {
    for (const kind of ['', ' --reject-with icmp-port-unreachable', ' --reject-with tcp-reset']) {
      assert.equal(outcomeOf([`-A FORWARD -p tcp -j REJECT${kind}`]), 'deny by FORWARD 1');
    }
  });

  it('goes on after LOG, NFLOG, MARK and rules without a target', () => {
    const rules = [
      '-A FORWARD -j LOG --log-prefix "calico-drop: " --log-level 5',
      '-A FORWARD -j NFLOG --nflog-prefix "API0|default" --nflog-group 1 --nflog-size 80',
      '-A FORWARD -j MARK --set-xmark 0x1/0x1',
      '-A FORWARD -m comment --comment "Policy default/web ingress"',
      '-A FORWARD',
      '-A FORWARD -j DROP',
    ];
    assert.equal(outcomeOf(rules), 'deny by FORWARD 6');
  });
});

describe('a jump', () => {
  it('comes back behind itself at the end of the chain', () => {
    assert.equal(outcomeOf(['-A FORWARD -j a', '-A FORWARD -j DROP', '-A a -p udp -j ACCEPT']), 'deny by FORWARD 2');
  });

  it('comes back behind itself on RETURN', () => {
    assert.equal(outcomeOf(['-A FORWARD -j a', '-A FORWARD -j DROP', '-A a -j RETURN', '-A a -j ACCEPT']), 'deny by FORWARD 2');
  });

  it('is not final when the chain decides nothing', () => {
    assert.equal(outcomeOf(['-A FORWARD -j a', '-A a -j b', '-A a -j DROP', '-A b -p udp -j DROP']), 'deny by a 2');
  });

  it('may enter the same chain twice', () => {
    const rules = ['-A FORWARD -j a', '-A FORWARD -j MARK --set-xmark 0x1/0x1', '-A FORWARD -j a', '-A a -m mark --mark 0x1/0x1 -j DROP'];
    assert.equal(outcomeOf(rules), 'deny by a 1');
  });
});

describe('a goto', () => {
  it('leaves its own chain for good: the end of the new one returns to the last jump', () => {
    assert.equal(
      outcomeOf(['-A FORWARD -j a', '-A FORWARD -j DROP', '-A a -g b', '-A a -j ACCEPT', '-A b -p udp -j ACCEPT']),
      'deny by FORWARD 2',
    );
  });

  it('makes RETURN go back to the last jump too', () => {
    assert.equal(outcomeOf(['-A FORWARD -j a', '-A FORWARD -j DROP', '-A a -g b', '-A a -j ACCEPT', '-A b -j RETURN']), 'deny by FORWARD 2');
  });

  it('out of a built-in chain ends at its policy', () => {
    assert.equal(outcomeOf(['-A FORWARD -g a', '-A FORWARD -j ACCEPT', '-A a -p udp -j ACCEPT'], { FORWARD: 'DROP' }), 'deny by policy of FORWARD');
  });

  it('through several chains returns to the one jump before them', () => {
    const rules = ['-A FORWARD -j a', '-A FORWARD -p tcp -j DROP', '-A a -g b', '-A b -g c', '-A c -p udp -j ACCEPT', '-A b -j ACCEPT'];
    assert.equal(outcomeOf(rules), 'deny by FORWARD 2');
  });
});

describe('RETURN in a built-in chain', () => {
  it('is the policy', () => {
    assert.equal(outcomeOf(['-A FORWARD -j RETURN', '-A FORWARD -j ACCEPT'], { FORWARD: 'DROP' }), 'deny by policy of FORWARD');
  });
});

describe('the hook', () => {
  const rules = ['-A INPUT -j DROP', '-A OUTPUT -p tcp -j DROP'];
  const kernel = kernelOf(rules);

  it('is FORWARD for a packet between two interfaces', () => {
    assert.equal(outcome(simulate(kernel, packet())), 'allow by policy of FORWARD');
  });

  it('is INPUT for a packet to the host', () => {
    const { outInterface: _, ...toHost } = packet();
    assert.equal(outcome(simulate(kernel, toHost)), 'deny by INPUT 1');
  });

  it('is OUTPUT for a packet of the host', () => {
    const { inInterface: _, ...fromHost } = packet();
    assert.equal(outcome(simulate(kernel, fromHost)), 'deny by OUTPUT 1');
  });
});

describe('the trace', () => {
  it('names every rule that matched, the deciding one last', () => {
    const kernel = kernelOf([
      '-A FORWARD -m comment --comment "cali:one" -j a',
      '-A FORWARD -m mark --mark 0x10000/0x10000 -j ACCEPT',
      '-A a -p udp -j DROP',
      '-A a -p tcp -j MARK --set-xmark 0x10000/0x10000',
      '-A a -m mark --mark 0x10000/0x10000 -j RETURN',
      '-A a -j DROP',
    ]);
    const { trace, mark, action } = simulate(kernel, packet());
    assert.deepEqual(
      trace.map((rule) => `${rule.chain} ${rule.number}`),
      ['FORWARD 1', 'a 2', 'a 3', 'FORWARD 2'],
    );
    assert.equal(trace[0]?.text, '-A FORWARD -m comment --comment "cali:one" -j a');
    assert.equal(mark, 0x10000);
    assert.equal(action, 'allow');
  });
});

describe('marks', () => {
  const after = (rules: readonly string[], mark: number): number => simulate(kernelOf(rules), packet(), { mark }).mark;

  it('start at zero, or at what the packet carries', () => {
    assert.equal(simulate(kernelOf([]), packet()).mark, 0);
    assert.equal(after([], 0xdeadbeef), 0xdeadbeef);
  });

  it('are changed by every spelling of MARK', () => {
    assert.equal(after(['-A FORWARD -j MARK --set-xmark 0x10000/0x10000'], 0x3), 0x10003);
    assert.equal(after(['-A FORWARD -j MARK --set-xmark 0x0/0x1b0000'], 0xffffffff), 0xffe4ffff);
    assert.equal(after(['-A FORWARD -j MARK --set-xmark 0x6/0x5'], 0x3), 0x4);
    assert.equal(after(['-A FORWARD -j MARK --set-mark 0x7'], 0x30), 0x7);
    assert.equal(after(['-A FORWARD -j MARK --set-mark 0x4/0x1'], 0x7), 0x6);
    assert.equal(after(['-A FORWARD -j MARK --or-mark 0x80000000'], 0x1), 0x80000001);
    assert.equal(after(['-A FORWARD -j MARK --and-mark 0xfffffffe'], 0xf000000f), 0xf000000e);
    assert.equal(after(['-A FORWARD -j MARK --xor-mark 0x3'], 0x1), 0x2);
  });

  it('are matched under their mask, whatever the highest bit', () => {
    const drops = (match: string, mark: number): boolean => simulate(kernelOf([`-A FORWARD -m mark ${match} -j DROP`]), packet(), { mark }).action === 'deny';
    assert.equal(drops('--mark 0x80000000/0x80000000', 0xffffffff), true);
    assert.equal(drops('--mark 0x0/0x10000', 0xfffeffff), true);
    assert.equal(drops('--mark 0x0/0x10000', 0x10000), false);
    assert.equal(drops('! --mark 0x10000/0x10000', 0x20000), true);
    assert.equal(drops('--mark 0x1', 0x10001), false);
    // A value outside its mask can never be equal.
    assert.equal(drops('--mark 0x5/0x1', 0x5), false);
  });
});

describe('a loop', () => {
  it('of jumps is an error', () => {
    assert.throws(() => outcomeOf(['-A FORWARD -j a', '-A a -j b', '-A b -j a']), SimulationError);
  });

  it('of gotos is an error', () => {
    assert.throws(() => outcomeOf(['-A FORWARD -g a', '-A a -g b', '-A b -g a']), SimulationError);
  });

  it('of both is an error', () => {
    assert.throws(() => outcomeOf(['-A FORWARD -j a', '-A a -g b', '-A b -j a']), SimulationError);
  });

  it('that the packet does not enter is none', () => {
    assert.equal(outcomeOf(['-A FORWARD -p udp -j a', '-A a -j a']), 'allow by policy of FORWARD');
  });
});
