// The command line: which commands there are, what they say when they are used wrongly.
//
// In: arguments and the process's world. Out: the exit status. Errors are one line on standard error with what to do about it.

import { Command, CommanderError } from 'commander';
import { settings, settingsText } from '../config/describe.ts';
import { ConfigInvalid } from '../config/errors.ts';
import { loadConfig } from '../config/load.ts';
import type { LoadedConfig } from '../config/load.ts';
import { describeSource } from '../config/source.ts';
import { createLogger } from '../observability/log.ts';
import { exitStatus } from './exit-status.ts';
import { addParameterFlags, givenFlags } from './parameter-flags.ts';
import { runCommand } from './run-command.ts';
import { version } from './version.ts';
import type { World } from './world.ts';

const HELP = `
Try it on this machine, as root, with a folder of YAML manifests:
  caracal run --datastore directory --path ./manifests --nodename node-a

In a cluster it is configured with environment variables (NODENAME, FELIX_*, ...);
'caracal config' prints them all with the value in force and where it comes from.

Exit status: ${exitStatus.ok} done, or stopped by a signal with the rules left in place;
  ${exitStatus.failed} failed while running; ${exitStatus.refused} wrong usage or configuration, nothing was started.
`;

type Options = Readonly<Record<string, unknown>>;

export async function main(args: readonly string[], world: World): Promise<number> {
  let status: number = exitStatus.ok;
  const load = (options: Options): LoadedConfig =>
    loadConfig({ env: world.env, flags: givenFlags(options), hostname: world.hostname });

  const versionText = `caracal ${version()} (Node.js ${process.versions.node})`;
  const program = new Command('caracal')
    .description('Network policy for the pods of this node: watches pods and policies, keeps iptables and ipset equal to them.')
    .version(versionText, '-V, --version', 'print the version')
    .addHelpText('after', HELP)
    .showSuggestionAfterError()
    .configureOutput({ writeOut: world.output, writeErr: world.errors, outputError: (text, write) => write(text.replace(/^error:/, 'caracal:')) })
    .exitOverride();

  const command = (name: string, description: string): Command =>
    program.command(name).description(description).copyInheritedSettings(program).showHelpAfterError(`See: caracal ${name} --help`);

  addParameterFlags(command('run', 'enforce policy on this node until stopped (needs root)')).action(async (options: Options) => {
    const config = load(options);
    if (!world.mayProgramKernel()) {
      world.errors('caracal: no permission to change iptables (CAP_NET_ADMIN); run it as root\n');
      status = exitStatus.refused;
      return;
    }
    const log = createLogger(config.values.logSeverity);
    status = await runCommand({ config, version: version(), log, signals: world.signals, runAgent: world.runAgent });
  });

  addParameterFlags(command('config', 'print each parameter, its value in force and where that comes from'))
    .option('--json', 'print one JSON document')
    .action((options: Options) => {
      const config = load(options);
      if (options['json'] === true) {
        const { warnings, ignored } = config;
        world.output(`${JSON.stringify({ parameters: settings(config), warnings, ignored }, undefined, 2)}\n`);
        return;
      }
      world.output(settingsText(config));
      for (const warning of config.warnings) world.errors(`caracal: warning: ${warning}\n`);
      if (config.ignored.length > 0) world.errors(`caracal: not parameters of caracal, ignored: ${config.ignored.join(', ')}\n`);
    });

  command('version', 'print the version').action(() => world.output(`${versionText}\n`));

  try {
    await program.parseAsync(args, { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitStatus.ok : exitStatus.refused;
    if (!(error instanceof ConfigInvalid)) throw error;
    for (const { source, problem } of error.problems) world.errors(`caracal: ${describeSource(source)}: ${problem}\n`);
    world.errors("Correct or unset it; 'caracal config' prints all parameters.\n");
    return exitStatus.refused;
  }
}
