// Where the effective configuration comes from: precedence, spelling, "none", empty and refused values.

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ConfigInvalid } from '../../src/config/errors.ts';
import type { ConfigInput, LoadedConfig } from '../../src/config/load.ts';
import { loadConfig } from '../../src/config/load.ts';
import { nameOf, parameterKeys, parameters, variablesOf } from '../../src/config/parameters.ts';
import type { Parameter } from '../../src/config/parameters.ts';

function load(env: ConfigInput['env'] = {}, flags: ConfigInput['flags'] = {}): LoadedConfig {
  return loadConfig({ env, flags, hostname: 'Kernel-Name' });
}

function refusal(env: ConfigInput['env'], flags: ConfigInput['flags'] = {}): ConfigInvalid {
  try {
    load(env, flags);
  } catch (error) {
    assert.ok(error instanceof ConfigInvalid);
    return error;
  }
  return assert.fail('the configuration was accepted');
}

suite('precedence', () => {
  test('without any setting every parameter has its default', () => {
    const { values, sources, warnings, ignored } = load();
    assert.equal(values.iptablesRefreshSeconds, 180);
    assert.equal(values.defaultEndpointToHostAction, 'DROP');
    assert.deepEqual(values.interfacePrefixes, ['cali']);
    assert.deepEqual(sources.iptablesRefreshSeconds, { kind: 'default' });
    assert.deepEqual([...warnings, ...ignored], []);
  });
  test('the environment beats the default', () => {
    const { values, sources } = load({ FELIX_IPTABLESREFRESHINTERVAL: '60' });
    assert.equal(values.iptablesRefreshSeconds, 60);
    assert.deepEqual(sources.iptablesRefreshSeconds, { kind: 'environment', variable: 'FELIX_IPTABLESREFRESHINTERVAL' });
  });
  test('a flag beats the environment', () => {
    const { values, sources } = load({ NODENAME: 'from-env' }, { nodeName: 'from-flag' });
    assert.equal(values.nodeName, 'from-flag');
    assert.deepEqual(sources.nodeName, { kind: 'flag', flag: '--nodename' });
  });
  test('NODENAME beats FELIX_FELIXHOSTNAME', () => {
    assert.equal(load({ NODENAME: 'node-a', FELIX_FELIXHOSTNAME: 'node-b' }).values.nodeName, 'node-a');
  });
  test('DATASTORE_TYPE beats FELIX_DATASTORETYPE', () => {
    assert.equal(load({ DATASTORE_TYPE: 'kubernetes', FELIX_DATASTORETYPE: 'directory' }).values.datastore, 'kubernetes');
  });
  test('a name of the datastore client counts first with the prefix CALICO_', () => {
    assert.equal(load({ CALICO_KUBECONFIG: '/a', KUBECONFIG: '/b' }).values.kubeconfig, '/a');
  });
  test('the node is named after the kernel, in lower case, if nothing else names it', () => {
    const { values, sources } = load();
    assert.equal(values.nodeName, 'kernel-name');
    assert.deepEqual(sources.nodeName, { kind: 'hostname' });
  });
  test('a host name that no node can have does not matter where the node is named', () => {
    assert.equal(loadConfig({ env: { NODENAME: 'node-a' }, hostname: '!' }).values.nodeName, 'node-a');
  });
});

suite('spelling', () => {
  for (const variable of ['FELIX_IPV6SUPPORT', 'FELIX_Ipv6Support', 'felix_ipv6support']) {
    test(`${variable} is the parameter IPv6Support`, () => assert.equal(load({ [variable]: 'false' }).values.ipv6Support, false));
  }
  test('other variables count only as written', () => assert.equal(load({ nodename: 'node-a' }).values.nodeName, 'kernel-name'));
  test('white space around a value does not count', () => assert.equal(load({ FELIX_HEALTHPORT: ' 9100 ' }).values.healthPort, 9100));
});

suite('empty values and "none"', () => {
  test('an empty value is as good as none', () => {
    const { values, sources } = load({ FELIX_HEALTHHOST: '', NODENAME: '' });
    assert.equal(values.healthHost, 'localhost');
    assert.deepEqual(sources.healthHost, { kind: 'default' });
    assert.equal(values.nodeName, 'kernel-name');
  });
  test('as many packets may be logged at once as somebody wants', () => assert.equal(load({ FELIX_LOGACTIONRATELIMITBURST: '1000000' }).values.logRateLimitBurst, 1_000_000));
  test('"none" switches off an interval', () => assert.equal(load({ FELIX_IPTABLESREFRESHINTERVAL: 'None' }).values.iptablesRefreshSeconds, 0));
  test('"none" silences the log', () => assert.equal(load({ FELIX_LOGSEVERITYSCREEN: 'none' }).values.logSeverity, 'NONE'));
  test('"none" where something is required is refused', () => {
    assert.match(refusal({ FELIX_INTERFACEPREFIX: 'none' }).message, /FELIX_INTERFACEPREFIX.*"none" is not possible/);
  });
  test('"none" for a word of a list that has no such word gives the default, with a warning', () => {
    const { values, warnings } = load({ FELIX_IPTABLESBACKEND: 'none' });
    assert.equal(values.iptablesBackend, 'auto');
    assert.equal(warnings.length, 1);
  });
});

suite('refused values', () => {
  test('give the default with a warning that names variable, value and what is accepted', () => {
    const { values, sources, warnings } = load({ FELIX_HEALTHPORT: 'ninety' });
    assert.equal(values.healthPort, 9099);
    assert.deepEqual(sources.healthPort, { kind: 'default' });
    assert.deepEqual(warnings, [
      'environment FELIX_HEALTHPORT: "ninety" is refused for HealthPort: expected an integer from 0 to 65535; the default "9099" holds',
    ]);
  });
  test('do not fall back to a source below', () => {
    assert.equal(load({ CALICO_K8S_INSECURE_SKIP_TLS_VERIFY: 'maybe', K8S_INSECURE_SKIP_TLS_VERIFY: 'true' }).values.apiInsecure, false);
  });
  test('are fatal where the table says so, all of them named at once', () => {
    const error = refusal({ FELIX_CHAININSERTMODE: 'front', FELIX_IPTABLESMARKMASK: '0x3' });
    assert.deepEqual(error.problems.map((problem) => problem.parameter), ['ChainInsertMode', 'IptablesMarkMask']);
  });
  test('are fatal even where a flag overrides them', () => {
    assert.match(refusal({ DATASTORE_TYPE: 'etcdv3' }, { datastore: 'kubernetes' }).message, /DATASTORE_TYPE: "etcdv3" is refused/);
  });
  test('of a flag are always fatal', () => assert.match(refusal({}, { runDirectory: 'none' }).message, /flag --run-directory/));
  test('never show a secret', () => {
    const error = refusal({ K8S_TOKEN: 'top secret' });
    assert.match(error.message, /K8S_TOKEN: the value is refused/);
    assert.doesNotMatch(error.message, /top secret/);
  });
});

suite('combinations', () => {
  test('the directory datastore without a path is refused', () => assert.match(refusal({}, { datastore: 'directory' }).message, /needs --path/));
  test('a certificate without its key is refused', () => assert.match(refusal({ K8S_CERT_FILE: '/cert' }).message, /go together/));
  test('native nftables is warned about, not refused', () => assert.match(load({ FELIX_NFTABLESMODE: 'enabled' }).warnings[0] ?? '', /nftables/));
  test('variables of Felix that are not parameters here are listed, not warned about', () => {
    const { warnings, ignored } = load({ FELIX_BPFENABLED: 'false', FELIX_TYPHAADDR: 'none' });
    assert.deepEqual(warnings, []);
    assert.deepEqual(ignored, ['FELIX_BPFENABLED', 'FELIX_TYPHAADDR']);
  });
  test('an own variable that nobody reads is warned about', () => assert.match(load({ CARACAL_COPROCESS: 'false' }).warnings[0] ?? '', /CARACAL_COPROCESS/));
  test('the variables that Kubernetes makes for a Service named caracal are not', () => {
    assert.deepEqual(load({ CARACAL_SERVICE_HOST: '10.0.0.1', CARACAL_PORT_80_TCP: 'tcp://10.0.0.1:80' }).warnings, []);
  });
  test('the environment of an existing Canal manifest is accepted without a warning', () => {
    const { values, warnings } = load({
      DATASTORE_TYPE: 'kubernetes',
      USE_POD_CIDR: 'true',
      WAIT_FOR_DATASTORE: 'true',
      NODENAME: 'node-a',
      CALICO_CNI_SERVICE_ACCOUNT: 'canal',
      CALICO_NETWORKING_BACKEND: 'none',
      CLUSTER_TYPE: 'k8s,canal',
      FELIX_IPTABLESREFRESHINTERVAL: '60',
      IP: '',
      CALICO_DISABLE_FILE_LOGGING: 'true',
      FELIX_DEFAULTENDPOINTTOHOSTACTION: 'ACCEPT',
      FELIX_IPV6SUPPORT: 'false',
      FELIX_HEALTHENABLED: 'true',
    });
    assert.deepEqual(warnings, []);
    assert.equal(values.defaultEndpointToHostAction, 'ACCEPT');
    assert.equal(values.healthEnabled, true);
  });
});

suite('the table', () => {
  test('names every parameter once', () => {
    const names = parameterKeys.map((key) => nameOf(parameters[key]));
    assert.deepEqual(names.filter((name, index) => name === '' || names.indexOf(name) !== index), []);
  });
  test('gives every variable to one parameter only', () => {
    const variables = parameterKeys.flatMap((key) => variablesOf(parameters[key]));
    assert.deepEqual(variables.filter((name, index) => variables.indexOf(name) !== index), []);
  });
  test('has defaults that its own types accept', () => {
    for (const key of parameterKeys) {
      const definition: Parameter<unknown> = parameters[key];
      const text = definition.type.format(definition.default);
      if (text !== '') assert.deepEqual(definition.type.parse(text), definition.default, key);
    }
  });
});
