// The configuration for people: what is in force and why, as text and as JSON, and the reference page made from the table.
// Secrets are never shown, only whether they are set.

import type { LoadedConfig } from './load.ts';
import { nameOf, parameterKeys, parameters, variablesOf } from './parameters.ts';
import type { Group, Parameter, ParameterKey } from './parameters.ts';
import { describeSource } from './source.ts';

export interface Setting {
  readonly name: string;
  /** Text that gives this value; '' for what is off or unset. A secret that is set shows as "(set)". */
  readonly value: string;
  readonly source: string;
}

function shown(key: ParameterKey, value: unknown): string {
  const definition: Parameter<unknown> = parameters[key];
  const text = definition.type.format(value);
  return definition.secret && text !== '' ? '(set)' : text;
}

/** One entry for each parameter, in the order of the table. */
export function settings(config: LoadedConfig): readonly Setting[] {
  return parameterKeys.map((key) => ({
    name: nameOf(parameters[key]),
    value: shown(key, config.values[key]),
    source: describeSource(config.sources[key]),
  }));
}

/** Aligned columns; what somebody has set stands out by its source. */
export function settingsText(config: LoadedConfig): string {
  const rows = [{ name: 'PARAMETER', value: 'VALUE', source: 'SOURCE' }, ...settings(config).map((row) => ({ ...row, value: row.value === '' ? '-' : row.value }))];
  const width = (column: 'name' | 'value'): number => Math.max(...rows.map((row) => row[column].length));
  const [names, values] = [width('name'), width('value')];
  return rows.map((row) => `${row.name.padEnd(names)}  ${row.value.padEnd(values)}  ${row.source}\n`).join('');
}

/** docs/configuration.md. */
export function referencePage(): string {
  const lines: string[] = [
    '# Configuration',
    '',
    '<!-- Made by `npm run docs` from src/config/parameters.ts; a test keeps the two equal. -->',
    '',
    'A flag beats an environment variable, which beats the default. `caracal config` prints what is in force and where it comes from.',
    '',
    '- `FELIX_` variables count in any case, the others as written. Where several are named, the first one that is set counts.',
    '- An empty value is as good as none. `none` switches off what can be off.',
    '- A value that is refused ends the start where the table says *fatal*; otherwise the default holds, with a warning.',
    '- Other `FELIX_` variables are ignored, with one line that names them.',
    '- `CARACAL_HEAP_MB` is read by `bin/caracal`: the most memory for objects, in MB (512). It is not a parameter of the agent itself.',
    '',
  ];
  const groups = [...new Set(parameterKeys.map((key) => parameters[key].group))];
  for (const group of groups) lines.push(...groupTable(group), '');
  return `${lines.join('\n').trimEnd()}\n`;
}

function groupTable(group: Group): string[] {
  const cell = (text: string): string => text.replaceAll('|', '\\|');
  const rows = parameterKeys
    .map((key): Parameter<unknown> => parameters[key])
    .filter((definition) => definition.group === group)
    .map((definition) => {
      const names = [...(definition.flag === undefined ? [] : [definition.flag]), ...variablesOf(definition)];
      const initial = definition.type.format(definition.default);
      const notes = [...(definition.fatal ? ['fatal'] : []), ...(definition.required ? [] : definition.type.zero === undefined ? [] : ['none'])];
      return [
        names.map((name) => `\`${name}\``).join('<br>'),
        definition.type.grammar,
        initial === '' ? '' : `\`${initial}\``,
        notes.join(', '),
        definition.doc,
      ];
    });
  return [
    `## ${group}`,
    '',
    '| Flag, variables | Values | Default | | Meaning |',
    '|---|---|---|---|---|',
    ...rows.map((row) => `| ${row.map(cell).join(' | ')} |`),
  ];
}
