// Run by children.test.ts inside a network namespace: starts every long-lived child that an agent has, on both backends, prints their
// process ids, and waits to be killed.

import { readFile } from 'node:fs/promises';
import { createCommandRunner } from '../../src/dataplane/command.ts';
import { LegacyDoorbell } from '../../src/dataplane/doorbell-legacy.ts';
import { NftDoorbell } from '../../src/dataplane/doorbell-nft.ts';
import { acquireAgentLock } from '../../src/dataplane/lock.ts';
import { openRules, openSets } from '../../src/dataplane/tools.ts';

const [, , lockFile = '', directory = ''] = process.argv;
const runner = createCommandRunner({ env: { XTABLES_LOCKFILE: lockFile } });
const onRing = (): void => {};
await acquireAgentLock({ runner, directory });
await new NftDoorbell({ runner, onRing }).listening();
await new LegacyDoorbell({ runner, onRing, lockFile }).listening();
await openRules({ runner, backend: 'nft', family: 4, coprocess: true });
await openRules({ runner, backend: 'legacy', family: 4, coprocess: true });
await openSets({ runner, coprocess: true });
const children = await readFile(`/proc/self/task/${process.pid}/children`, 'utf8');
process.stdout.write(`${JSON.stringify(children.trim().split(' ').map(Number))}\n`);
setInterval(() => {}, 60_000);
