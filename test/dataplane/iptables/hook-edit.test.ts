import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { editHook } from '../../../src/dataplane/iptables/hook-edit.ts';
import { placeRules } from '../../../src/dataplane/iptables/placed-rule.ts';
import type { PlacedRule } from '../../../src/dataplane/iptables/placed-rule.ts';

const [jump, accept] = placeRules('FORWARD', [
  { text: '-j cali-FORWARD', chain: 'cali-FORWARD', sets: [] },
  { text: '-m mark --mark 0x10000/0x10000 -j ACCEPT', sets: [] },
]) as [PlacedRule, PlacedRule];
const felix: PlacedRule = { hash: 'wUHhoiAYhphO9Mso', spec: '-m comment --comment "cali:wUHhoiAYhphO9Mso" -j cali-FORWARD', sets: [] };
const hook = { chain: 'FORWARD', inserted: [jump], appended: [accept] };

function edited(...now: readonly (PlacedRule | null)[]): readonly string[] | undefined {
  return editHook(hook, now)?.lines;
}

describe('hooks in kernel chains', () => {
  it('at the top and at the end are right, whatever stands between', () => {
    assert.equal(edited(jump, accept), undefined);
    assert.equal(edited(jump, null, null, accept), undefined);
  });

  it('are written where there are none', () => {
    assert.deepEqual(edited(null), [`-I FORWARD ${jump.spec}`, `-A FORWARD ${accept.spec}`]);
  });

  it('are moved when something was inserted above or appended below', () => {
    assert.deepEqual(edited(null, jump, accept), [`-D FORWARD ${jump.spec}`, `-I FORWARD ${jump.spec}`]);
    assert.deepEqual(edited(jump, accept, null), [`-D FORWARD ${accept.spec}`, `-A FORWARD ${accept.spec}`]);
  });

  it('of Felix are replaced in the same transaction', () => {
    assert.deepEqual(edited(felix, null), [`-D FORWARD ${felix.spec}`, `-I FORWARD ${jump.spec}`, `-A FORWARD ${accept.spec}`]);
  });

  it('that stand there twice are all deleted and written once', () => {
    assert.deepEqual(edited(jump, null, jump, accept), [`-D FORWARD ${jump.spec}`, `-D FORWARD ${jump.spec}`, `-I FORWARD ${jump.spec}`]);
  });

  it('are removed from chains where we want none', () => {
    const nothing = { chain: 'PREROUTING', inserted: [], appended: [] };
    assert.deepEqual(editHook(nothing, [null, felix])?.lines, [`-D PREROUTING ${felix.spec}`]);
    assert.equal(editHook(nothing, [null]), undefined);
  });

  it('leave foreign rules where they are', () => {
    assert.deepEqual(editHook(hook, [null, jump, null])?.result, [jump, null, null, accept]);
  });
});
