// The text of a manifest file → objects, or what is wrong and where.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { type Manifest, type ManifestError, readManifest } from '../../../src/sync/directory/manifest.ts';
import { kinds } from '../../../src/sync/resources/kinds.ts';
import { titleOf } from '../../../src/sync/resources/resource.ts';
import { context } from '../resources/objects.ts';

const good = (text: string): Manifest => {
  const result = readManifest(text, context());
  assert.ok('manifest' in result, JSON.stringify(result));
  return result.manifest;
};

const errorsOf = (text: string): readonly ManifestError[] => {
  const result = readManifest(text, context());
  assert.ok('errors' in result, 'the file is bad');
  return result.errors;
};

const names = ({ objects }: Manifest): string[] => objects.map(({ resource, identity, line }) => `${resource.kind} ${identity.namespace}/${identity.name} line ${line}`);

const namespace = 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n';
const account = 'apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: runner\n  namespace: shop\n';
const policy = (spec: string): string => `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: web\n  namespace: shop\nspec:\n${spec}`;

describe('a file', () => {
  test('has any number of documents, empty ones included', () => {
    assert.deepEqual(names(good(`---\n${namespace}---\n# nothing\n---\n${account}`)), ['Namespace /shop line 2', 'ServiceAccount shop/runner line 9']);
  });

  test('may be JSON', () => {
    assert.deepEqual(names(good(JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }))), ['Namespace /shop line 1']);
  });

  test('may hold lists of any kinds, also as the API serves them', () => {
    const list = 'apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Namespace\n  metadata: {name: a}\n- apiVersion: v1\n  kind: ServiceAccountList\n  items:\n  - metadata: {name: b, namespace: a}\n';
    assert.deepEqual(names(good(list)), ['Namespace /a line 4', 'ServiceAccount a/b line 10']);
  });

  test('may hold kinds that are not read, and of a kind other versions', () => {
    const other = 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {}\n---\napiVersion: projectcalico.org/v2\nkind: NetworkPolicy\nmetadata: {name: x}\n';
    assert.deepEqual(good(other), { objects: [], ignored: ['apps/v1 Deployment', 'projectcalico.org/v2 NetworkPolicy'] });
  });

  test('of comments only has no objects', () => assert.deepEqual(good('# all gone\n').objects, []));

  test('may use anchors and merge keys', () => {
    const text = `apiVersion: v1\nkind: List\nitems:\n- &a {apiVersion: v1, kind: ServiceAccount, metadata: {name: a}}\n- <<: *a\n  metadata: {name: b, namespace: shop}\n`;
    assert.deepEqual(names(good(text)), ['ServiceAccount default/a line 4', 'ServiceAccount shop/b line 5']);
  });
});

describe('every kind that is read', () => {
  const admin = { subject: { namespaces: {} } };
  const specs: Readonly<Record<string, object>> = {
    NetworkPolicy: { podSelector: {} },
    Pod: { nodeName: 'node-1' },
    ClusterNetworkPolicy: { ...admin, tier: 'Admin', priority: 1 },
    AdminNetworkPolicy: { ...admin, priority: 1 },
    BaselineAdminNetworkPolicy: admin,
    StagedKubernetesNetworkPolicy: { podSelector: {} },
    Tier: { order: 1_000_000 },
    HostEndpoint: { node: 'node-1', interfaceName: '*' },
    IPPool: { cidr: '10.0.0.0/16' },
  };
  for (const resource of kinds) {
    const { kind, apiVersion, otherApiVersions = [], namespaced } = resource;
    const spec = resource.title === undefined ? specs[kind] : {};
    test(`${titleOf(resource)} may stand in a file`, () => {
      for (const group of [apiVersion, ...otherApiVersions]) {
        const metadata = { name: 'default', ...(namespaced ? { namespace: 'shop' } : {}) };
        const rest = kind === 'EndpointSlice' ? { addressType: 'IPv4', endpoints: [] } : kind === 'Pod' ? { spec, status: { podIP: '10.0.0.1' } } : { spec };
        const { objects } = good(JSON.stringify({ apiVersion: group, kind, metadata, ...rest }));
        assert.deepEqual(objects.map((object) => object.resource), [resource]);
      }
    });
  }
});

describe('what the API server would fill in', () => {
  const metadataOf = (text: string): unknown => good(text).objects[0]?.object['metadata'];

  test('the namespace default', () => {
    assert.deepEqual(metadataOf('apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a}\n'), { name: 'a', namespace: 'default' });
  });
  test("a Namespace's label with its name, whatever the manifest says", () => {
    const text = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: {x: y, kubernetes.io/metadata.name: z}}\n';
    assert.deepEqual(metadataOf(text), { name: 'a', labels: { x: 'y', 'kubernetes.io/metadata.name': 'a' } });
  });
  test('the account of a pod, which policies may name', () => {
    const accountOf = (spec: string): unknown => {
      const [object] = good(`apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {nodeName: node-1${spec}}\nstatus: {podIP: 10.0.0.1}\n`).objects;
      const { value } = object?.resource.decode(object.object, context()) ?? {};
      return typeof value === 'object' && 'profiles' in value ? value.profiles.at(-1) : undefined;
    };
    assert.equal(accountOf(''), 'ksa.default.default');
    assert.equal(accountOf(', serviceAccountName: ""'), 'ksa.default.default');
    assert.equal(accountOf(', serviceAccountName: runner'), 'ksa.default.runner');
    // The name that the field had once.
    assert.equal(accountOf(', serviceAccount: runner'), 'ksa.default.runner');
    assert.equal(accountOf(', serviceAccount: other, serviceAccountName: runner'), 'ksa.default.runner');
  });
  const typesOf = (apiVersion: string, spec: string): unknown => {
    const text = `apiVersion: ${apiVersion}\nkind: GlobalNetworkPolicy\nmetadata: {name: a}\nspec: {${spec}}\n`;
    return (good(text).objects[0]?.object['spec'] as { types?: unknown } | undefined)?.types;
  };
  test("the directions of a policy of Calico's API: those of which it has rules, or Ingress", () => {
    const rule = '[{action: Allow}]';
    for (const [spec, types] of [
      ['', ['Ingress']],
      [`ingress: ${rule}`, ['Ingress']],
      [`egress: ${rule}`, ['Egress']],
      [`ingress: ${rule}, egress: ${rule}`, ['Ingress', 'Egress']],
      ['types: [Egress]', ['Egress']],
    ] as const) {
      assert.deepEqual(typesOf('projectcalico.org/v3', spec), types, spec);
    }
  });
  test("no directions of a policy of Calico's store, which has nobody who fills them in", () => {
    assert.equal(typesOf('crd.projectcalico.org/v1', 'egress: [{action: Allow}]'), undefined);
  });
});

describe("manifests of Calico's kinds", () => {
  const calico = (apiVersion: string, spec: string): string => `apiVersion: ${apiVersion}\nkind: NetworkPolicy\nmetadata: {name: web, namespace: shop}\nspec:\n${spec}`;

  test('may be of either group', () => {
    for (const apiVersion of ['crd.projectcalico.org/v1', 'projectcalico.org/v3']) {
      const [object] = good(calico(apiVersion, '  selector: has(a)\n')).objects;
      assert.equal(object?.resource.title, 'NetworkPolicy.projectcalico.org');
    }
  });
  test('are refused for what their API refuses, with the line', () => {
    const [error] = errorsOf(calico('projectcalico.org/v3', '  selector: has(a)\n  ingress:\n  - action: Allow\n    source:\n      nets: [10.0.0.0/33]\n'));
    assert.equal(error?.line, 9);
    assert.match(error.reason, /^NetworkPolicy\.projectcalico\.org shop\/web: spec\.ingress\[0\]\.source\.nets\[0\] "10\.0\.0\.0\/33" is no CIDR/);
  });
  test('are taken when only this agent cannot do what they say', () => {
    assert.equal(good(calico('projectcalico.org/v3', '  ingress: [{action: Allow, http: {methods: [GET]}}]\n')).objects.length, 1);
  });
});

describe('a bad file names line and reason', () => {
  const bad: readonly [string, string, number, RegExp][] = [
    ['nothing at all', ' \n', 1, /is empty; to remove its objects, delete the file/],
    ['YAML that does not parse', `${namespace}labels: [a\nb: c\n`, 6, /./],
    ['a key twice', 'apiVersion: v1\nkind: Namespace\nkind: Pod\n', 3, /unique/],
    ['JSON that does not parse', '{"kind": "Pod",\n"a" "b"}\n', 2, /./],
    ['an alias of nothing', 'apiVersion: v1\nkind: *x\n', 1, /./],
    ['text', 'hello\n', 1, /no Kubernetes object/],
    ['a document without a kind', `${namespace}---\nmetadata: {}\n`, 6, /apiVersion and kind/],
    ['a name with capitals', 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: Shop\n', 4, /metadata\.name "Shop" must be/],
    ['no name', 'apiVersion: v1\nkind: Namespace\nmetadata:\n  labels: {}\n', 3, /metadata\.name is missing/],
    ['a Namespace in a namespace', 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n  namespace: b\n', 5, /belongs to no namespace/],
    ['a label key', 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n  labels:\n    ok: x\n    a b: x\n', 7, /no label key/],
    ['a label value', 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n  labels:\n    app.x/y: x y\n', 6, /no label value/],
    ['a label without quotes', 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n  labels:\n    v: 1.10\n', 6, /must be a string \(put the value in quotes\)/],
    ['an annotation key', 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n  annotations:\n    a b: x\n', 6, /no label key/],
    ['a CIDR', policy('  ingress:\n  - from:\n    - ipBlock:\n        cidr: 10.0.0.0/33\n'), 10, /spec\.ingress\[0\]\.from\[0\]\.ipBlock\.cidr "10\.0\.0\.0\/33" is no CIDR/],
    ['an item of a list', 'kind: List\napiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Namespace\n  metadata:\n    name: B\n', 7, /"B" must be/],
    ['an address of a pod', 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {nodeName: n}\nstatus:\n  podIP: 10.1.1\n', 6, /status\.podIP "10\.1\.1" is no address/],
  ];
  for (const [what, text, line, reason] of bad) {
    test(what, () => {
      const [error] = errorsOf(text);
      assert.equal(error?.line, line);
      assert.match(error.reason, reason);
    });
  }

  test('each of them', () => {
    const text = `${namespace.replace('shop', 'A')}---\n${namespace.replace('shop', 'B')}`;
    assert.deepEqual(errorsOf(text).map(({ line }) => line), [4, 9]);
  });

  test('lists within lists without end are refused', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    const label = `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"a","labels":{"a":${deep}}}}`;
    assert.match(errorsOf(label)[0]?.reason ?? '', /^Namespace a: metadata\.labels\[a\] .* must be a string/);
    const list = '{"apiVersion":"v1","kind":"List","items":['.repeat(10_000) + ']}'.repeat(10_000);
    assert.deepEqual(errorsOf(list), [{ line: 1, reason: 'is nested too deeply' }]);
  });

  test('aliases that multiply without end are refused', () => {
    const levels = Array.from({ length: 12 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array.from({ length: 9 }, () => `*l${i}`).join(', ')}]`);
    const text = `apiVersion: v1\nkind: Namespace\nl0: &l0 [x, x, x]\n${levels.join('\n')}\n`;
    assert.match(errorsOf(text)[0]?.reason ?? '', /alias/i);
  });
});
