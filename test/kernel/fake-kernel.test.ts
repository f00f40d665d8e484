// The fake kernel against the real one: the same transactions and set commands, the same answers, the same text afterwards. On both
// backends, in network namespaces.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { SetCommandsFailed, TransactionRefused } from '../../src/dataplane/errors.ts';
import type { Family } from '../../src/model/packet.ts';
import { FakeKernel } from '../fakes/kernel.ts';
import type { Backend } from '../fakes/rule-tables.ts';
import { Namespace } from './harness/namespace.ts';
import { ruleShapes, ruleShapes6, setup, start, start6, stricter, transactionCases } from './rule-cases.ts';
import type { RuleCase } from './rule-cases.ts';
import { setCommands } from './set-cases.ts';

interface Answer {
  readonly accepted: boolean;
  /** The line blamed, where the tool says one. */
  readonly line: number | undefined;
  readonly text: readonly string[];
}

const withoutComments = (text: string): string[] => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
const transaction = ({ body }: RuleCase): string => `*filter\n${body === '' ? '' : `${body}\n`}COMMIT\n`;

function askFake(backend: Backend, ruleCase: RuleCase): Answer {
  const family = ruleCase.family ?? 4;
  const kernel = new FakeKernel({ backend });
  kernel.editSets(...setup);
  kernel.edit(family === 4 ? start : start6, family);
  try {
    kernel.edit(transaction(ruleCase), family);
    return { accepted: true, line: undefined, text: withoutComments(kernel.rulesText('filter', family)) };
  } catch (error) {
    if (!(error instanceof TransactionRefused)) throw error;
    return { accepted: false, line: error.line, text: withoutComments(kernel.rulesText('filter', family)) };
  }
}

/** Runs a tool inside; its complaint where it fails. */
async function complaintOf(namespace: Namespace, file: string, args: readonly string[], input = ''): Promise<string | undefined> {
  try {
    await namespace.run(file, args, { input, env: { XTABLES_LOCKFILE: namespace.lockFile } });
    return undefined;
  } catch (error) {
    return String(error);
  }
}

async function read(namespace: Namespace, file: string, args: readonly string[]): Promise<string> {
  return (await namespace.run(file, args, { env: { XTABLES_LOCKFILE: namespace.lockFile } })).stdout;
}

async function askReal(namespace: Namespace, backend: Backend, ruleCase: RuleCase): Promise<Answer> {
  const family: Family = ruleCase.family ?? 4;
  const tool = `${family === 4 ? 'iptables' : 'ip6tables'}-${backend}`;
  assert.equal(await complaintOf(namespace, `${tool}-restore`, [], family === 4 ? start : start6), undefined);
  const complaint = await complaintOf(namespace, `${tool}-restore`, ['--noflush'], transaction(ruleCase));
  const line = /line:? (\d+)/.exec(complaint ?? '')?.[1];
  const text = withoutComments(await read(namespace, `${tool}-save`, ['-t', 'filter']));
  return { accepted: complaint === undefined, line: line === undefined ? undefined : Number(line), text };
}

for (const backend of ['nft', 'legacy'] as const) {
  describe(`the fake kernel against iptables-${backend}`, () => {
    let namespace: Namespace;
    before(async () => {
      namespace = await Namespace.create(`fake-${backend}`);
      for (const command of setup) await namespace.run('ipset', command.split(' '));
    });
    after(() => namespace.remove());

    for (const ruleCase of [...transactionCases, ...ruleShapes, ...ruleShapes6]) {
      const isRefused = ruleCase.refused === true || ruleCase.refused === backend;
      it(`${ruleCase.family === 6 ? 'IPv6: ' : ''}${ruleCase.name} is ${isRefused ? 'refused' : 'accepted'}`, async () => {
        const real = await askReal(namespace, backend, ruleCase);
        const fake = askFake(backend, ruleCase);
        assert.equal(real.accepted, !isRefused, 'the real tool');
        assert.equal(fake.accepted, !isRefused, 'the fake');
        assert.deepEqual(fake.text, real.text);
        // Legacy blames a line only for what its own parser refuses, and the fake none at all.
        if (backend === 'nft') assert.equal(fake.line, real.line, 'the line blamed');
      });
    }

    for (const ruleCase of stricter) {
      it(`${ruleCase.name}: accepted by the tool, refused by the fake`, async () => {
        assert.equal((await askReal(namespace, backend, ruleCase)).accepted, true);
        assert.equal(askFake(backend, ruleCase).accepted, false);
      });
    }
  });
}

describe('the fake sets against ipset', () => {
  let namespace: Namespace;
  const kernel = new FakeKernel();
  before(async () => {
    namespace = await Namespace.create('fake-sets');
  });
  after(() => namespace.remove());

  const sorted = (text: string): string[] =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.replace(/ initval 0x[0-9a-f]+/, ''))
      .sort();

  const askFakeSets = (command: string): boolean => {
    try {
      kernel.editSets(command);
      return true;
    } catch (error) {
      if (!(error instanceof SetCommandsFailed)) throw error;
      return false;
    }
  };

  for (const { command, refused } of setCommands) {
    it(`"${command}" is ${refused ? 'refused' : 'accepted'}`, async () => {
      if (command.startsWith('iptables ')) {
        const rule = command.slice('iptables '.length);
        kernel.edit(`*filter\n${rule}\nCOMMIT\n`);
        assert.equal(await complaintOf(namespace, 'iptables-legacy-restore', ['--noflush'], `*filter\n${rule}\nCOMMIT\n`), undefined);
        return;
      }
      assert.equal((await complaintOf(namespace, 'ipset', command.split(' '))) === undefined, !refused, 'the real tool');
      assert.equal(askFakeSets(command), !refused, 'the fake');
      assert.deepEqual(sorted(kernel.setsText()), sorted(await read(namespace, 'ipset', ['save'])));
    });
  }

  it('lists the same headers as ipset list -t', async () => {
    const listing = (await read(namespace, 'ipset', ['list', '-t'])).split('\n\n').filter((block) => block.trim() !== '');
    const real = listing.map((block) => {
      const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? '';
      const header = field('Header').split(' ');
      const option = (name: string): string => header[header.indexOf(name) + 1] as string;
      return { name: field('Name'), type: field('Type'), family: option('family'), maxElements: Number(option('maxelem')), entries: Number(field('Number of entries')) };
    });
    const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);
    assert.deepEqual([...(await kernel.setTool().headers())].sort(byName), real.sort(byName));
  });
});
