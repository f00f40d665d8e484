// Run by lock.test.ts inside a network namespace: takes the agent's lock, says so, and keeps it.

import { createCommandRunner } from '../../src/dataplane/command.ts';
import { acquireAgentLock } from '../../src/dataplane/lock.ts';

const lock = await acquireAgentLock({ runner: createCommandRunner(), directory: process.argv[2] ?? '' });
process.stdout.write('held\n');
await lock.lost;
