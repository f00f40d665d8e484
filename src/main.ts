// Entry of the program: hands the process's world to the command line and takes its exit status.

import { hostname } from 'node:os';
import { runAgent } from './agent.ts';
import { main } from './cli/main.ts';
import { mayProgramKernel } from './cli/privileges.ts';

// `caracal config | head` closes the pipe early; that is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

// Exits even where something still holds the event loop: whoever sent SIGTERM waits, and output here is synchronous.
const status = await main(process.argv.slice(2), {
  env: process.env,
  hostname: hostname(),
  signals: process,
  mayProgramKernel,
  output: (text) => process.stdout.write(text),
  errors: (text) => process.stderr.write(text),
  runAgent,
});
process.exit(status);
