import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseBackend } from '../../../src/dataplane/backend.ts';
import type { BackendRules, HostRules } from '../../../src/dataplane/host-rules.ts';

const rule = '*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j ACCEPT\nCOMMIT\n';

test('with equally many rules legacy is taken, as Felix does, if it is loaded', () => {
  assert.equal(chooseBackend(host({ nft: '', legacy: '', loaded: true }), 'auto').backend, 'legacy');
  assert.equal(chooseBackend(host({ nft: '', legacy: '', loaded: false }), 'auto').backend, 'nft');
});

test("a chain with the kubelet's name outside of mangle is no hint", () => {
  const elsewhere = '*filter\n:KUBE-KUBELET-CANARY - [0:0]\nCOMMIT\n';
  assert.equal(chooseBackend(host({ nft: elsewhere, legacy: rule, loaded: true }), 'auto').backend, 'legacy');
});

test('a setting wins, and is warned of when the node looks otherwise', () => {
  const rules = host({ nft: rule, legacy: '', loaded: true });
  assert.equal(chooseBackend(rules, 'nft').warning, undefined);
  const choice = chooseBackend(rules, 'legacy');
  assert.equal(choice.backend, 'legacy');
  assert.match(choice.warning ?? '', /set to legacy, but this node looks like nft \(1 rules in nft, 0 in legacy\).*Remedy/);
});

test('a setting is no cause for a warning where the other backend holds no rules', () => {
  assert.equal(chooseBackend(host({ nft: '', legacy: '', loaded: true }), 'nft').warning, undefined);
});

function host({ nft, legacy, loaded }: { nft: string; legacy: string; loaded: boolean }): HostRules {
  const one = (backend: 'nft' | 'legacy', text: string, inUse: boolean): BackendRules => ({ backend, family: 4, text, inUse });
  return [one('nft', nft, true), one('legacy', legacy, loaded)];
}
