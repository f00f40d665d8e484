import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FamilySets } from '../../../src/dataplane/ipsets/family-sets.ts';
import { SetComparison } from '../../../src/dataplane/ipsets/set-comparison.ts';
import { set } from '../objects.ts';

const text = (name: string, ...members: readonly string[]): string =>
  [`create ${name} hash:net family inet hashsize 1024 maxelem 1000`, ...members.map((member) => `add ${name} ${member}`), ''].join('\n');

function holding(...members: readonly string[]): FamilySets {
  const sets = new FamilySets({ family: 4, maxElements: 1_000, leftoversOf: [4, 6], usesOf: () => 0 });
  sets.add(set('s:a', members));
  sets.settled(sets.planNew(), new Map(), 0);
  return sets;
}

/** A comparison with what was read before `meanwhile`. */
function compared(sets: FamilySets, read: string, meanwhile: () => void = () => {}): unknown {
  const comparison = new SetComparison([sets]);
  comparison.begin(read);
  meanwhile();
  return comparison.next();
}

describe('the comparison of all sets', () => {
  it('finds nothing where nothing was changed', () => {
    assert.deepEqual(compared(holding('10.0.0.1'), text('cali40s:a', '10.0.0.1')), { drift: [], done: true });
  });

  it('finds an exchanged member, and a set that is gone', () => {
    assert.deepEqual(compared(holding('10.0.0.1'), text('cali40s:a', '10.0.0.2')), { drift: [{ object: 'cali40s:a', what: '1 members gone, 1 unknown members' }], done: true });
    assert.deepEqual(compared(holding('10.0.0.1'), ''), { drift: [{ object: 'cali40s:a', what: 'set gone' }], done: true });
  });

  it('takes a change that is wanted and not yet written for no drift, and does not forget it', () => {
    const sets = holding('10.0.0.1');
    const drift = compared(sets, text('cali40s:a', '10.0.0.1'), () => sets.change({ id: 's:a', added: ['10.0.0.2'], removed: [] }));
    assert.deepEqual(drift, { drift: [], done: true });
    assert.deepEqual(sets.planOpening().map(({ text: command }) => command), ['add cali40s:a 10.0.0.2 -exist']);
  });

  for (const [what, write] of Object.entries<(sets: FamilySets) => void>({
    'was written': (sets) => {
      sets.change({ id: 's:a', added: ['10.0.0.2'], removed: [] });
      sets.settled(sets.planNew(), new Map(), 0);
    },
    'was written with unknown outcome and read again': (sets) => {
      sets.change({ id: 's:a', added: ['10.0.0.2'], removed: [] });
      sets.unknownOutcome(sets.planNew());
      sets.adoptOne('cali40s:a', text('cali40s:a', '10.0.0.1', '10.0.0.2'));
    },
    'was destroyed and made again': (sets) => {
      sets.remove('s:a');
      sets.settled(sets.planDestroy(0), new Map(), 0);
      sets.add(set('s:a', ['10.0.0.2']));
      sets.settled(sets.planNew(), new Map(), 0);
    },
  })) {
    it(`leaves out a set that ${what} since the read began`, () => {
      const sets = holding('10.0.0.1');
      assert.deepEqual(compared(sets, text('cali40s:a', '10.0.0.1'), () => write(sets)), { drift: [], done: true });
      assert.equal(sets.isDirty, false);
    });
  }

  it('does not take a set that was destroyed since the read began for a leftover', () => {
    const sets = holding('10.0.0.1');
    compared(sets, text('cali40s:a', '10.0.0.1'), () => {
      sets.remove('s:a');
      sets.settled(sets.planDestroy(0), new Map(), 0);
    });
    assert.equal(sets.size, 0);
  });

  it('stops after some thousand lines, those of foreign sets too, and goes on from there', () => {
    const foreign = text('foreign', ...Array.from({ length: 9_000 }, (_, i) => `10.1.${i >> 8}.${i & 255}`));
    const comparison = new SetComparison([holding('10.0.0.1')]);
    comparison.begin(`${foreign}${text('cali40s:a', '10.0.0.2')}`);
    const slices = [comparison.next(), comparison.next(), comparison.next()];
    assert.deepEqual(slices.map(({ drift, done }) => [drift.length, done]), [[0, false], [0, false], [1, true]]);
  });
});
