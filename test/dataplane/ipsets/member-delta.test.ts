import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { MemberDelta } from '../../../src/dataplane/ipsets/member-delta.ts';

const member = fc.constantFrom('a', 'b', 'c', 'd');
const operation = fc.oneof(
  fc.record({ kind: fc.constantFrom('want', 'unwant', 'added', 'removed'), member }),
  fc.record({ kind: fc.constantFrom('replaceWanted', 'replaceHeld'), members: fc.uniqueArray(member) }),
);

describe('members', () => {
  it('missing and surplus are always the differences between what is wanted and what is held', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 30 }), (operations) => {
        const delta = new MemberDelta();
        let wanted = new Set<string>();
        let held = new Set<string>();
        for (const step of operations) {
          if ('members' in step) {
            if (step.kind === 'replaceWanted') delta.replaceWanted((wanted = new Set(step.members)));
            else delta.replaceHeld((held = new Set(step.members)));
          } else {
            delta[step.kind as 'want' | 'unwant' | 'added' | 'removed'](step.member);
            if (step.kind === 'want') wanted.add(step.member);
            if (step.kind === 'unwant') wanted.delete(step.member);
            if (step.kind === 'added') held.add(step.member);
            if (step.kind === 'removed') held.delete(step.member);
          }
          assert.deepEqual(new Set(delta.wanted), wanted);
          assert.deepEqual(new Set(delta.missing), wanted.difference(held));
          assert.deepEqual(new Set(delta.surplus), held.difference(wanted));
          assert.deepEqual(delta.held(), held);
          assert.equal(delta.heldCount, held.size);
        }
      }),
    );
  });

  it('counts what changed behind our back', () => {
    const delta = new MemberDelta();
    delta.replaceWanted(['a', 'b']);
    delta.replaceHeld(new Set(['a', 'b']));
    assert.deepEqual(delta.replaceHeld(new Set(['b', 'c', 'd'])), { gone: 1, unknown: 2 });
  });
});
