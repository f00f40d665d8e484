import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WireObject } from '../../src/model/verdict.ts';
import { judge } from '../../src/verdict/judge.ts';
import { globalPolicy, into, namespace, outOf, pod, slice, world } from './small-world.ts';

function isMember(address: string, ...slices: readonly WireObject[]): boolean {
  const open = globalPolicy('p', { types: ['Ingress'], ingress: [{ action: 'Allow', source: { services: { name: 'api', namespace: 'a' } } }] });
  const isSix = address.includes(':');
  const receiver = pod('a/x', '', { status: { podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }] } });
  return judge(world([namespace('a'), receiver, open, ...slices])).verdict(into('a/x', address, isSix ? 'fd00::1' : '10.0.0.1')).action === 'allow';
}

test('all slices of a service add up, of both families', () => {
  const four = slice('a/api', ['192.0.2.1'], []);
  const six = slice('a/api', ['fd01::1'], [], { addressType: 'IPv6' });
  assert.deepEqual(['192.0.2.1', 'fd01::1', '192.0.2.2'].map((address) => isMember(address, four, six)), [true, true, false]);
});

test('several addresses of one endpoint, and endpoints that are not ready', () => {
  const both = { ...slice('a/api', [], []), endpoints: [{ addresses: ['192.0.2.1', '192.0.2.2'], conditions: { ready: false, serving: false, terminating: true } }, { addresses: ['192.0.2.3'] }] };
  assert.deepEqual(['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((address) => isMember(address, both)), [true, true, true]);
});

test('a broken slice is nobody to rules that allow, and named', () => {
  const fine = slice('a/api', ['192.0.2.1'], [{ port: 80 }]);
  const broken: readonly (readonly [Record<string, unknown>, string])[] = [
    [{ addressType: 'IPv5' }, 'addressType'],
    [{ endpoints: {} }, 'endpoints'],
    [{ endpoints: [null] }, 'endpoints[0]'],
    [{ endpoints: [{ addresses: ['192.0.2.1', '192.0.2.01'] }] }, 'endpoints[0].addresses[1]'],
    [{ endpoints: [{ addresses: ['192.0.2.1', 'fd00::1'] }] }, 'endpoints[0].addresses[1]'],
    [{ ports: [{ port: 0 }] }, 'ports[0].port'],
    [{ ports: [{ port: 80, protocol: 'ICMP' }] }, 'ports[0].protocol'],
  ];
  for (const [spoilt, field] of broken) {
    const object = { ...fine, ...spoilt };
    assert.deepEqual(judge(world([object])).invalid.map((each) => [each.kind, each.field])[0], ['EndpointSlice', field]);
    assert.ok(!isMember('192.0.2.1', object), field);
  }
});

test('a broken slice is everybody, on any port, to rules that deny the service, and nobody to those that pass', () => {
  const broken = slice('a/api', ['192.0.2.1', '010.0.0.1'], [{ port: 80 }]);
  const services = { name: 'api', namespace: 'a' };
  const rule = (action: string): WireObject => globalPolicy('p', { types: ['Ingress', 'Egress'], ingress: [{ action, source: { services } }, { action: 'Allow' }], egress: [{ action, destination: { services } }, { action: 'Allow' }] });
  const actions = (...objects: readonly WireObject[]): readonly string[] => {
    const judged = judge(world([namespace('a'), pod('a/x', '10.0.0.1'), ...objects]));
    return [into('a/x', '198.51.100.1', '10.0.0.1'), outOf('a/x', '10.0.0.1', '198.51.100.1', { destinationPort: 443 })].map((packet) => judged.verdict(packet).action);
  };
  assert.deepEqual(actions(rule('Deny'), broken), ['deny', 'deny']);
  assert.deepEqual(actions(rule('Pass'), broken), ['allow', 'allow']);
  assert.deepEqual(actions(rule('Deny'), slice('a/api', ['192.0.2.1'], [{ port: 80 }]), slice('a/other', ['x'], [])), ['allow', 'allow']);
});
