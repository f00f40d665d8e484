import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EncodingRefused, ReferenceMissing } from '../../../src/dataplane/errors.ts';
import { FamilySets } from '../../../src/dataplane/ipsets/family-sets.ts';
import type { SetCommand } from '../../../src/dataplane/ipsets/tracked-set.ts';
import { set } from '../objects.ts';

interface Started {
  readonly sets: FamilySets;
  /** Sets that rules in the kernel name. */
  readonly used: Set<string>;
  /** Runs a plan as if the kernel took it all, or refused what `refusals` names. */
  readonly run: (commands: readonly SetCommand[], refusals?: Readonly<Record<string, string>>) => string[];
}

function start(kernel = '', maxElements = 1_000): Started {
  const used = new Set<string>();
  const sets = new FamilySets({ family: 4, maxElements, leftoversOf: [4, 6], usesOf: (name) => (used.has(name) ? 1 : 0) });
  sets.adopt(kernel);
  const run: Started['run'] = (commands, refusals = {}) => {
    sets.settled(commands, new Map(Object.entries(refusals)), 0);
    return commands.map(({ text }) => text);
  };
  return { sets, used, run };
}

const inKernel = (name: string, members: readonly string[], header = 'hash:net family inet hashsize 1024 maxelem 1000'): string =>
  [`create ${name} ${header}`, ...members.map((member) => `add ${name} ${member}`), ''].join('\n');

describe('a new set', () => {
  it('is created and filled before rules name it, with the members of its family', () => {
    const { sets, run } = start();
    sets.add(set('s:a', ['10.0.0.1', 'fd00::1', '10.1.0.0/16']));
    assert.deepEqual(run(sets.planNew()), [
      'create cali40s:a hash:net family inet maxelem 1000',
      'add cali40s:a 10.0.0.1 -exist',
      'add cali40s:a 10.1.0.0/16 -exist',
    ]);
    assert.equal(sets.isDirty, false);
    assert.equal(sets.nameOf('s:a'), 'cali40s:a');
  });

  it('of addresses and ports is hash:ip,port', () => {
    const { sets, run } = start();
    sets.add(set('n:a', ['10.0.0.1,tcp:80', 'fd00::1,tcp:80'], { type: 'ip-port' }));
    assert.deepEqual(run(sets.planNew()), ['create cali40n:a hash:ip,port family inet maxelem 1000', 'add cali40n:a 10.0.0.1,tcp:80 -exist']);
  });

  it('of hundreds of thousands of members is planned, filled, and emptied again', () => {
    const { sets, used, run } = start('', 1_000_000);
    const members = Array.from({ length: 200_000 }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
    sets.add(set('s:a', members));
    assert.equal(run(sets.planNew()).length, 200_001);
    used.add('cali40s:a');
    sets.change({ id: 's:a', added: [], removed: members });
    assert.equal(run(sets.planClosing()).length, 200_000);
    assert.equal(sets.isDirty, false);
  });

  it('refuses members that are not canonical', () => {
    const { sets } = start();
    assert.throws(() => sets.add(set('s:a', ['10.0.0.01'])), EncodingRefused);
  });

  it('cannot be referred to before it was sent', () => {
    assert.throws(() => start().sets.nameOf('s:a'), ReferenceMissing);
  });
});

describe('adoption', () => {
  it('writes nothing where the kernel has what is wanted', () => {
    const { sets } = start(inKernel('cali40s:a', ['10.0.0.1', '10.0.0.2']));
    sets.add(set('s:a', ['10.0.0.2', '10.0.0.1']));
    assert.deepEqual([...sets.planNew(), ...sets.planClosing(), ...sets.planOpening(), ...sets.planDestroy(0)], []);
  });

  it('writes only the difference, closing apart from opening, where rules name the set', () => {
    const { sets, used } = start(inKernel('cali40s:a', ['10.0.0.1', '10.0.0.2']));
    used.add('cali40s:a');
    sets.add(set('s:a', ['10.0.0.2', '10.0.0.3']));
    assert.deepEqual(sets.planNew(), []);
    assert.deepEqual(sets.planClosing().map(({ text }) => text), ['del cali40s:a 10.0.0.1 -exist']);
    assert.deepEqual(sets.planOpening().map(({ text }) => text), ['add cali40s:a 10.0.0.3 -exist']);
  });

  it('fills at once what no rule names', () => {
    const { sets } = start(inKernel('cali40s:a', ['10.0.0.1']));
    sets.add(set('s:a', ['10.0.0.3']));
    assert.deepEqual(sets.planNew().map(({ text }) => text), ['del cali40s:a 10.0.0.1 -exist', 'add cali40s:a 10.0.0.3 -exist']);
  });

  it('leaves the sets of others alone', () => {
    const { sets } = start(inKernel('KUBE-LOOP-BACK', ['10.0.0.1']));
    assert.deepEqual(sets.planDestroy(0), []);
  });

  it('destroys leftovers of either family once no rule names them', () => {
    const { sets, used, run } = start(inKernel('cali40s:old', []) + inKernel('cali60s:old', [], 'hash:net family inet6 maxelem 9') + inKernel('felix-4-x', []) + inKernel('cali4t0', []));
    used.add('cali40s:old');
    assert.deepEqual(run(sets.planDestroy(0)), ['destroy cali60s:old', 'destroy felix-4-x', 'destroy cali4t0']);
    assert.deepEqual(sets.planDestroy(0), []);
    used.clear();
    assert.deepEqual(run(sets.planDestroy(0)), ['destroy cali40s:old']);
  });
});

describe('a change of members', () => {
  function existing(use: 'allow' | 'deny' | 'pass'): Started {
    const started = start();
    started.sets.add(set('s:a', ['10.0.0.1'], { use }));
    started.run(started.sets.planNew());
    started.used.add('cali40s:a');
    started.sets.change({ id: 's:a', added: ['10.0.0.2', 'fd00::2'], removed: ['10.0.0.1', 'fd00::1'] });
    return started;
  }

  for (const use of ['allow', 'pass'] as const) {
    it(`of a set used to ${use} takes members out first`, () => {
      const { sets } = existing(use);
      assert.deepEqual(sets.planNew(), []);
      assert.deepEqual(sets.planClosing().map(({ text }) => text), ['del cali40s:a 10.0.0.1 -exist']);
      assert.deepEqual(sets.planOpening().map(({ text }) => text), ['add cali40s:a 10.0.0.2 -exist']);
    });
  }

  it('of a set used to deny puts members in first', () => {
    const { sets } = existing('deny');
    assert.deepEqual(sets.planClosing().map(({ text }) => text), ['add cali40s:a 10.0.0.2 -exist']);
    assert.deepEqual(sets.planOpening().map(({ text }) => text), ['del cali40s:a 10.0.0.1 -exist']);
  });

  it('that is taken back before it was written is nothing', () => {
    const { sets } = existing('allow');
    sets.change({ id: 's:a', added: ['10.0.0.1'], removed: ['10.0.0.2'] });
    assert.equal(sets.isDirty, false);
  });

  it('may be held back member by member', () => {
    const { sets } = existing('allow');
    assert.deepEqual(sets.planOpening((name, member) => name === 'cali40s:a' && member === '10.0.0.2'), []);
    assert.equal(sets.isDirty, true);
  });
});

describe('removal', () => {
  it('leaves the members as they are until no rule names the set, then destroys it', () => {
    const { sets, used, run } = start();
    sets.add(set('s:a', ['10.0.0.1']));
    run(sets.planNew());
    used.add('cali40s:a');
    sets.remove('s:a');
    assert.deepEqual([...sets.planNew(), ...sets.planClosing(), ...sets.planOpening(), ...sets.planDestroy(0)], []);
    used.clear();
    assert.deepEqual(run(sets.planDestroy(0)), ['destroy cali40s:a']);
    assert.equal(sets.size, 0);
  });

  it('is forgotten when the set is wanted again, and only the difference is written', () => {
    const { sets, used, run } = start();
    sets.add(set('s:a', ['10.0.0.1', '10.0.0.2']));
    run(sets.planNew());
    used.add('cali40s:a');
    sets.remove('s:a');
    sets.add(set('s:a', ['10.0.0.2', '10.0.0.3']));
    assert.deepEqual([...sets.planClosing(), ...sets.planOpening()].map(({ text }) => text), ['del cali40s:a 10.0.0.1 -exist', 'add cali40s:a 10.0.0.3 -exist']);
    used.clear();
    assert.deepEqual(sets.planDestroy(0), []);
  });

  it('is tried again later when the kernel still uses the set', () => {
    const { sets, run } = start(inKernel('cali40s:old', []));
    run(sets.planDestroy(0), { 'destroy cali40s:old': 'in use' });
    assert.deepEqual(sets.planDestroy(19), []);
    assert.equal(sets.leftovers.nextAt(), 20);
    assert.deepEqual(run(sets.planDestroy(20)), ['destroy cali40s:old']);
  });
});

describe('another header', () => {
  it('another size of a set in use: a new one is filled, and swapped with it', () => {
    const { sets, used, run } = start(inKernel('cali40s:a', ['10.0.0.1', '10.0.0.2'], 'hash:net family inet maxelem 50'));
    used.add('cali40s:a');
    sets.add(set('s:a', ['10.0.0.2', '10.0.0.3']));
    // What the swap puts in force lets in no more than before.
    assert.deepEqual(run(sets.planNew()), ['create cali4t0 hash:net family inet maxelem 1000', 'add cali4t0 10.0.0.2 -exist']);
    assert.deepEqual(run(sets.planClosing()), ['swap cali4t0 cali40s:a', 'destroy cali4t0']);
    assert.deepEqual(run(sets.planOpening()), ['add cali40s:a 10.0.0.3 -exist']);
    assert.equal(sets.isDirty, false);
    assert.deepEqual(sets.planDestroy(0), []);
  });

  it('another size of a deny set: what is swapped in holds old and new members', () => {
    const { sets, used, run } = start(inKernel('cali40s:a', ['10.0.0.1'], 'hash:net family inet maxelem 50'));
    used.add('cali40s:a');
    sets.add(set('s:a', ['10.0.0.3'], { use: 'deny' }));
    assert.deepEqual(run(sets.planNew()).slice(1), ['add cali4t0 10.0.0.3 -exist', 'add cali4t0 10.0.0.1 -exist']);
    run(sets.planClosing());
    assert.deepEqual(run(sets.planOpening()), ['del cali40s:a 10.0.0.1 -exist']);
  });

  it('of a set that no rule names: it is made anew', () => {
    const { sets, run } = start(inKernel('cali40s:a', ['10.0.0.1,tcp:80'], 'hash:ip,port family inet maxelem 1000'));
    sets.add(set('s:a', ['10.0.0.1']));
    assert.deepEqual(run(sets.planNew()), ['destroy cali40s:a', 'create cali40s:a hash:net family inet maxelem 1000', 'add cali40s:a 10.0.0.1 -exist']);
    assert.equal(sets.isDirty, false);
  });

  it('another type of a set that rules name: the new one gets another name', () => {
    const text = inKernel('cali40s:a', [], 'hash:ip,port family inet maxelem 1000');
    const sets = new FamilySets({ family: 4, maxElements: 1_000, leftoversOf: [4], usesOf: (name) => (name === 'cali40s:a' ? 1 : 0) });
    sets.adopt(text);
    sets.add(set('s:a', ['10.0.0.1']));
    assert.equal(sets.nameOf('s:a'), 'cali4xs:a');
    assert.equal(sets.planNew()[0]?.text, 'create cali4xs:a hash:net family inet maxelem 1000');
  });
});

describe('refusals', () => {
  it('a full set keeps what fits, and tries the rest when there is room', () => {
    const { sets, used, run } = start();
    sets.add(set('s:a', ['10.0.0.1', '10.0.0.2']));
    run(sets.planNew(), { 'add cali40s:a 10.0.0.2 -exist': 'Hash is full, cannot add more elements' });
    used.add('cali40s:a');
    assert.equal(sets.isDirty, false);
    assert.deepEqual(sets.failures.map(({ name }) => name), ['cali40s:a']);
    sets.change({ id: 's:a', added: [], removed: ['10.0.0.1'] });
    run(sets.planClosing());
    assert.deepEqual(run(sets.planOpening()), ['add cali40s:a 10.0.0.2 -exist']);
    assert.deepEqual(sets.failures, []);
  });

  it('a member that fits behind one that does not is in force, and so is what comes then', () => {
    const { sets, used, run } = start();
    sets.add(set('s:a', ['10.0.0.1', '10.0.0.2']));
    run(sets.planNew(), { 'add cali40s:a 10.0.0.1 -exist': 'Hash is full, cannot add more elements' });
    used.add('cali40s:a');
    sets.change({ id: 's:a', added: ['10.0.0.3'], removed: [] });
    assert.equal(sets.isDirty, true);
    assert.deepEqual(run(sets.planOpening()), ['add cali40s:a 10.0.0.3 -exist']);
  });

  it('what leaves a set that no rule names makes room for what comes', () => {
    const sets = new FamilySets({ family: 4, maxElements: 2, leftoversOf: [4], usesOf: () => 0 });
    sets.adopt(inKernel('cali40s:a', ['10.0.0.1', '10.0.0.2'], 'hash:net family inet maxelem 2'));
    sets.add(set('s:a', ['10.0.0.3', '10.0.0.4']));
    assert.equal(sets.planNew().length, 4);
  });

  it('a member that the kernel does not take holds up no other', () => {
    const { sets, used, run } = start();
    sets.add(set('s:a', ['10.0.0.1', '10.0.0.2']));
    run(sets.planNew(), { 'add cali40s:a 10.0.0.2 -exist': 'Kernel error received: Invalid argument' });
    used.add('cali40s:a');
    sets.adoptOne('cali40s:a', inKernel('cali40s:a', ['10.0.0.1']));
    sets.change({ id: 's:a', added: ['10.0.0.3'], removed: ['10.0.0.1'] });
    assert.deepEqual(run(sets.planClosing()), ['del cali40s:a 10.0.0.1 -exist']);
    run(sets.planOpening(), { 'add cali40s:a 10.0.0.2 -exist': 'Kernel error received: Invalid argument' });
    sets.adoptOne('cali40s:a', inKernel('cali40s:a', ['10.0.0.3']));
    assert.deepEqual(sets.failures.map(({ name }) => name), ['cali40s:a']);
    assert.equal(sets.isDirty, false);
  });

  it('a full set is tried again on request', () => {
    const { sets, run } = start();
    sets.add(set('s:a', ['10.0.0.1']));
    run(sets.planNew(), { 'add cali40s:a 10.0.0.1 -exist': 'Hash is full' });
    sets.retry();
    assert.deepEqual(run(sets.planNew()), ['add cali40s:a 10.0.0.1 -exist']);
  });

  it('a set that cannot be created is not held, must be read, and waits', () => {
    const { sets, run } = start();
    sets.add(set('s:a', ['10.0.0.1']));
    run(sets.planNew(), { 'create cali40s:a hash:net family inet maxelem 1000': 'no module', 'add cali40s:a 10.0.0.1 -exist': 'no set' });
    assert.equal(sets.isHeld('cali40s:a'), false);
    assert.deepEqual(sets.unread, ['cali40s:a']);
    sets.adopt('');
    assert.deepEqual(sets.planNew(), []);
    sets.retry();
    assert.equal(sets.planNew().length, 2);
  });

  it('an outcome in doubt leaves the sets alone until they are read', () => {
    const { sets } = start();
    sets.add(set('s:a', ['10.0.0.1', '10.0.0.2']));
    sets.unknownOutcome(sets.planNew());
    assert.deepEqual(sets.planNew(), []);
    sets.adopt(inKernel('cali40s:a', ['10.0.0.1']));
    assert.deepEqual(sets.planNew().map(({ text }) => text), ['add cali40s:a 10.0.0.2 -exist']);
  });
});

describe('drift', () => {
  function held(): Started {
    const started = start();
    started.sets.add(set('s:a', ['10.0.0.1', '10.0.0.2']));
    started.run(started.sets.planNew());
    started.used.add('cali40s:a');
    return started;
  }
  const header = (entries: number): Parameters<FamilySets['checkHeaders']>[0] => [
    { name: 'cali40s:a', type: 'hash:net', family: 'inet', maxElements: 1_000, entries },
  ];

  it('is not seen where the count is right', () => {
    const { sets } = held();
    assert.deepEqual(sets.checkHeaders(header(2)), []);
    assert.deepEqual(sets.unread, []);
  });

  it('a wrong count asks for a read, which says what is missing and brings it back', () => {
    const { sets } = held();
    assert.deepEqual(sets.checkHeaders(header(1)), []);
    assert.deepEqual(sets.unread, ['cali40s:a']);
    assert.deepEqual(sets.adoptOne('cali40s:a', inKernel('cali40s:a', ['10.0.0.1'])), [{ object: 'cali40s:a', what: '1 members gone' }]);
    assert.deepEqual(sets.planOpening().map(({ text }) => text), ['add cali40s:a 10.0.0.2 -exist']);
  });

  it('a set that is gone is made again', () => {
    const { sets } = held();
    assert.deepEqual(sets.checkHeaders([]), [{ object: 'cali40s:a', what: 'set gone' }]);
    assert.equal(sets.planNew().length, 3);
  });

  it('members that nobody wanted are taken out', () => {
    const { sets } = held();
    assert.deepEqual(sets.adopt(inKernel('cali40s:a', ['10.0.0.1', '10.0.0.2', '0.0.0.0/1'])), [{ object: 'cali40s:a', what: '1 unknown members' }]);
    assert.deepEqual(sets.planClosing().map(({ text }) => text), ['del cali40s:a 0.0.0.0/1 -exist']);
  });

  it('an unknown set under our names is destroyed', () => {
    const { sets } = held();
    sets.checkHeaders([...header(2), { name: 'cali40s:x', type: 'hash:net', family: 'inet', maxElements: 1, entries: 0 }]);
    assert.deepEqual(sets.planDestroy(0).map(({ text }) => text), ['destroy cali40s:x']);
  });
});
