// The command line: what it prints, and the exit status, for right and for wrong use.

import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { suite, test } from 'node:test';
import { main } from '../../src/cli/main.ts';
import type { RunAgent, World } from '../../src/cli/world.ts';
import type { Config } from '../../src/config/parameters.ts';

interface Outcome {
  readonly status: number;
  readonly output: string;
  readonly errors: string;
}

const neverRuns: RunAgent = () => Promise.reject(new Error('the agent was started'));

async function caracal(args: readonly string[], world: Partial<World> = {}): Promise<Outcome> {
  let output = '';
  let errors = '';
  const status = await main(args, {
    env: {},
    hostname: 'kernel',
    signals: new EventEmitter(),
    mayProgramKernel: () => true,
    output: (text) => void (output += text),
    errors: (text) => void (errors += text),
    runAgent: neverRuns,
    ...world,
  });
  return { status, output, errors };
}

suite('caracal --help', () => {
  test('names every command and how to try it, and succeeds', async () => {
    const { status, output } = await caracal(['--help']);
    assert.equal(status, 0);
    for (const word of ['run', 'config', 'version', '--datastore directory --path ./manifests', 'Exit status']) assert.ok(output.includes(word), word);
  });
});

suite('wrong use', () => {
  const cases: readonly (readonly [what: string, args: readonly string[], says: RegExp])[] = [
    ['an unknown command', ['rum'], /^caracal: unknown command 'rum'\n\(Did you mean run\?\)\n/],
    ['an unknown option', ['run', '--pat', 'x'], /^caracal: unknown option '--pat'\n[^]*See: caracal run --help/],
    ['an option without its argument', ['run', '--path'], /^caracal: option '--path <DIR>' argument missing\n/],
    ['a refused value', ['run', '--datastore', 'etcd'], /^caracal: flag --datastore: "etcd" is refused for DatastoreType: expected one of kubernetes, directory\n/],
    ['a directory datastore without a path', ['run', '--datastore', 'directory'], /^caracal: flag --datastore: the directory datastore needs --path DIR\n/],
  ];
  for (const [what, args, says] of cases) {
    test(`${what} is said on standard error, with exit status 2`, async () => {
      const { status, output, errors } = await caracal(args);
      assert.equal(status, 2);
      assert.equal(output, '');
      assert.match(errors, says);
    });
  }
  test('several refused values are a line each', async () => {
    const { errors } = await caracal(['config'], { env: { FELIX_CHAININSERTMODE: 'x', FELIX_IPTABLESMARKMASK: 'y' } });
    assert.equal(errors.split('\n').filter((line) => line.startsWith('caracal: environment')).length, 2);
  });
  test('running without the right to change iptables is refused with the remedy', async () => {
    const { status, errors } = await caracal(['run'], { mayProgramKernel: () => false });
    assert.equal(status, 2);
    assert.match(errors, /run it as root/);
  });
});

suite('caracal config', () => {
  test('prints each value with its source', async () => {
    const { status, output } = await caracal(['config', '--nodename', 'node-a'], { env: { FELIX_IPTABLESREFRESHINTERVAL: '60' } });
    assert.equal(status, 0);
    assert.match(output, /^FelixHostname +node-a +flag --nodename$/m);
    assert.match(output, /^IptablesRefreshInterval +60 +environment FELIX_IPTABLESREFRESHINTERVAL$/m);
  });
  test('--json prints one document with parameters, warnings and what is ignored', async () => {
    const { output } = await caracal(['config', '--json'], { env: { FELIX_HEALTHPORT: 'x', FELIX_BPFENABLED: 'false', K8S_TOKEN: 'hidden' } });
    const document = JSON.parse(output) as { parameters: unknown[]; warnings: string[]; ignored: string[] };
    assert.ok(document.parameters.some((each) => JSON.stringify(each) === '{"name":"HealthPort","value":"9099","source":"default"}'));
    assert.match(document.warnings[0] ?? '', /FELIX_HEALTHPORT/);
    assert.deepEqual(document.ignored, ['FELIX_BPFENABLED']);
    assert.doesNotMatch(output, /hidden/);
  });
  test('prints warnings on standard error, so that the table can be piped', async () => {
    const { errors } = await caracal(['config'], { env: { FELIX_HEALTHPORT: 'x' } });
    assert.match(errors, /^caracal: warning: environment FELIX_HEALTHPORT/);
  });
});

for (const word of ['version', '--version', '-V']) {
  test(`caracal ${word} prints the version of package.json`, async () => {
    const { status, output } = await caracal([word]);
    assert.equal(status, 0);
    assert.match(output, /^caracal \d+\.\d+\.\d+ \(Node\.js \d+/);
  });
}

suite('caracal run', () => {
  const quiet = { FELIX_LOGSEVERITYSCREEN: 'none' };

  test('gives the agent the configuration of flags and environment', async () => {
    let seen: Config | undefined;
    const signals = new EventEmitter();
    const { status } = await caracal(['run', '--datastore', 'directory', '--path', '/manifests'], {
      env: { ...quiet, NODENAME: 'node-a' },
      signals,
      runAgent: (config, { signal }) => {
        seen = config;
        return stopWith(signal, signals);
      },
    });
    assert.equal(status, 0);
    assert.equal(seen?.path, '/manifests');
    assert.equal(seen.nodeName, 'node-a');
  });
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP']) {
    test(`${name} stops it with exit status 0`, async () => {
      const signals = new EventEmitter();
      const { status } = await caracal(['run'], { env: quiet, signals, runAgent: (_config, { signal }) => stopWith(signal, signals, name) });
      assert.equal(status, 0);
      assert.equal(signals.listenerCount(name), 0);
    });
  }
  test('an agent that fails ends it with exit status 1', async () => {
    assert.equal((await caracal(['run'], { env: quiet })).status, 1);
  });
  test('an agent that ends by itself is a failure', async () => {
    assert.equal((await caracal(['run'], { env: quiet, runAgent: () => Promise.resolve() })).status, 1);
  });
});

/** Sends the signal, and resolves when the agent is told to stop. */
function stopWith(stop: AbortSignal, signals: EventEmitter, name = 'SIGTERM'): Promise<void> {
  return new Promise((resolve) => {
    stop.addEventListener('abort', () => resolve());
    signals.emit(name, name);
  });
}
