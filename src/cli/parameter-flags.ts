// The long options of a command, made from the parameters that have one.

import { Option } from 'commander';
import type { Command } from 'commander';
import { parameterKeys, parameters } from '../config/parameters.ts';
import type { Parameter, ParameterKey } from '../config/parameters.ts';

const flagged = parameterKeys.flatMap((key) => {
  const definition: Parameter<unknown> = parameters[key];
  return definition.flag === undefined ? [] : [{ key, flag: definition.flag, definition }];
});

/** In backticks and Markdown the text is for the reference page. */
function plain(doc: string): string {
  return doc.replaceAll('`', '');
}

export function addParameterFlags(command: Command): Command {
  for (const { flag, definition } of flagged) {
    const metavar = flag === '--path' || flag.endsWith('-directory') ? 'DIR' : flag === '--kubeconfig' ? 'FILE' : 'NAME';
    command.addOption(new Option(`${flag} <${metavar}>`, plain(definition.doc)));
  }
  return command;
}

/** The text of the options that were given, by parameter. */
export function givenFlags(options: Readonly<Record<string, unknown>>): Partial<Record<ParameterKey, string>> {
  const given: Partial<Record<ParameterKey, string>> = {};
  for (const { key, flag } of flagged) {
    const attribute = new Option(flag).attributeName();
    const value = options[attribute];
    if (typeof value === 'string') given[key] = value;
  }
  return given;
}
