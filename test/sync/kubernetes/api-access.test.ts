// From what the operator says to how the API server is reached, and as whom.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';

import { SourceOptionsInvalid } from '../../../src/sync/errors.ts';
import { type ApiAccess, loadKubeConfig } from '../../../src/sync/kubernetes/api-access.ts';

describe('access to the API server', () => {
  const environment = { ...process.env };
  let folder: string;
  const kubeconfig = (extra = ''): string => {
    const file = path.join(folder, 'kubeconfig');
    writeFileSync(
      file,
      `apiVersion: v1
kind: Config
clusters:
- {name: one, cluster: {server: "https://one.example:6443/", certificate-authority: ca.crt, tls-server-name: api${extra}}}
- {name: two, cluster: {server: "https://two.example:6443"}}
users:
- {name: u, user: {token: from-file}}
contexts:
- {name: a, context: {cluster: one, user: u}}
- {name: b, context: {cluster: two, user: u}}
current-context: a
`,
    );
    return file;
  };
  const reached = (access: ApiAccess): { cluster: unknown; user: unknown } => {
    const config = loadKubeConfig(access);
    // Without the fields that are undefined.
    return JSON.parse(JSON.stringify({ cluster: config.getCurrentCluster(), user: config.getCurrentUser() })) as { cluster: unknown; user: unknown };
  };

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'caracal-access-'));
    process.env['HOME'] = folder;
    delete process.env['KUBERNETES_SERVICE_HOST'];
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
    process.env = { ...environment };
  });

  test('is what a kubeconfig file says', () => {
    assert.deepEqual(reached({ kubeconfig: kubeconfig() }), {
      cluster: { name: 'cluster', server: 'https://one.example:6443', caFile: path.join(folder, 'ca.crt'), tlsServerName: 'api', skipTLSVerify: false },
      user: { name: 'agent', token: 'from-file' },
    });
  });

  for (const user of ['{tokenFile: token}', '{"tokenFile": "token"}', '\n    tokenFile: ./token  ']) {
    test(`takes the token out of the file that a kubeconfig names: ${JSON.stringify(user)}`, () => {
      const file = kubeconfig();
      writeFileSync(path.join(folder, 'token'), 'first\n');
      writeFileSync(file, readFileSync(file, 'utf8').replace('{name: u, user: {token: from-file}}', `name: u\n  user: ${user}`));
      assert.equal((reached({ kubeconfig: file }).user as { token: string }).token.trim(), 'first');
      writeFileSync(path.join(folder, 'token'), 'second\n');
      assert.equal((reached({ kubeconfig: file }).user as { token: string }).token.trim(), 'second');
    });
  }

  test('is what another context of it says', () => {
    assert.deepEqual(reached({ kubeconfig: kubeconfig(), context: 'b' }).cluster, { name: 'cluster', server: 'https://two.example:6443', skipTLSVerify: false });
  });

  test('is what is given instead', () => {
    const given = { kubeconfig: kubeconfig(), endpoint: 'https://three.example', token: 'given\n', caFile: '/ca', certFile: '/crt', keyFile: '/key' };
    assert.deepEqual(reached(given), {
      cluster: { name: 'cluster', server: 'https://three.example', caFile: '/ca', tlsServerName: 'api', skipTLSVerify: false },
      user: { name: 'agent', token: 'given', certFile: '/crt', keyFile: '/key' },
    });
  });

  test('needs no kubeconfig where the endpoint is given, and empty texts count as absent', () => {
    assert.deepEqual(reached({ kubeconfig: '', context: '', endpoint: 'https://three.example', token: '', caFile: '' }), {
      cluster: { name: 'cluster', server: 'https://three.example', skipTLSVerify: false },
      user: { name: 'agent' },
    });
  });

  test("is the pod's service account where nothing is given", () => {
    process.env['KUBERNETES_SERVICE_HOST'] = 'fd00::1';
    process.env['KUBERNETES_SERVICE_PORT'] = '443';
    const { cluster, user } = reached({});
    assert.deepEqual(cluster, { name: 'cluster', server: 'https://[fd00::1]:443', caFile: '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt', skipTLSVerify: false });
    assert.deepEqual(user, { name: 'agent', authProvider: { name: 'tokenFile', config: { tokenFile: '/var/run/secrets/kubernetes.io/serviceaccount/token' } } });
  });

  for (const [what, access] of [
    ['nothing is known', () => ({})],
    ['the file is missing', () => ({ kubeconfig: '/nonexistent/kubeconfig' })],
    ['the context is missing', () => ({ kubeconfig: kubeconfig(), context: 'c' })],
    ['a proxy is named', () => ({ kubeconfig: kubeconfig(', proxy-url: "http://proxy"') })],
  ] as const) {
    test(`is refused with a remedy where ${what}`, () => {
      assert.throws(() => loadKubeConfig(access()), (error) => error instanceof SourceOptionsInvalid && error.remedy !== '');
    });
  }
});
