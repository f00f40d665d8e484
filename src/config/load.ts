// The effective configuration, from the command line and the environment.
//
// In: the process's environment, the text of the flags that were given, the kernel's host name.
// Out: a value for every parameter, where each comes from, and what an operator should know about the rest.
// Always holds: nothing is read here but the arguments; the result is frozen; the value of a secret is in `values` only.
//
// As in Felix: a flag beats the environment, which beats the default. Names of variables count in any case. An empty value is
// none. "none" switches off what can be off. A refused value is fatal where the table says so, and otherwise gives way to the
// default, never to a source below. Every source is checked, also one that another overrides.

import { ConfigInvalid } from './errors.ts';
import type { ConfigProblem } from './errors.ts';
import { nameOf, parameterKeys, parameters, variablesOf } from './parameters.ts';
import type { Config, Parameter, ParameterKey } from './parameters.ts';
import { describeSource } from './source.ts';
import type { Source } from './source.ts';
import { ValueProblem } from './types.ts';

export interface ConfigInput {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Text of the flags that were given. */
  readonly flags?: Partial<Readonly<Record<ParameterKey, string>>>;
  /** The kernel's host name: the node's name if nothing else says it. */
  readonly hostname: string;
}

export interface LoadedConfig {
  readonly values: Config;
  readonly sources: Readonly<Record<ParameterKey, Source>>;
  /** Refused values for which the default holds, and settings that have no effect: one sentence each. */
  readonly warnings: readonly string[];
  /** Variables named FELIX_* that are not parameters of this agent; not an error, there are many. */
  readonly ignored: readonly string[];
}

interface Candidate {
  readonly source: Source;
  readonly text: string;
}

/** Variables by upper-case name. Two spellings of one name are unlikely; the first in alphabetical order counts. */
function environment(env: ConfigInput['env']): ReadonlyMap<string, { readonly variable: string; readonly text: string }> {
  const found = new Map<string, { variable: string; text: string }>();
  for (const variable of Object.keys(env).toSorted()) {
    const text = env[variable]?.trim() ?? '';
    const name = variable.toUpperCase();
    // Only Felix's names count in any case: PATH and path are two variables to everybody else.
    if (name !== variable && !name.startsWith('FELIX_')) continue;
    if (text !== '' && !found.has(name)) found.set(name, { variable, text });
  }
  return found;
}

function parse<T>(definition: Parameter<T>, text: string): T {
  if (text.toLowerCase() !== 'none') return definition.type.parse(text);
  if (definition.required) throw new ValueProblem('"none" is not possible here');
  if (definition.type.zero === undefined) throw new ValueProblem(`"none" is not possible here; expected ${definition.type.grammar}`);
  return definition.type.zero;
}

export function loadConfig(input: ConfigInput): LoadedConfig {
  const env = environment(input.env);
  const problems: ConfigProblem[] = [];
  const warnings: string[] = [];
  const used = new Set<string>();

  /** The sources of one parameter that say something, the one that counts first. */
  const candidates = (key: ParameterKey, definition: Parameter<unknown>): Candidate[] => {
    const found: Candidate[] = [];
    const flag = input.flags?.[key]?.trim() ?? '';
    if (flag !== '' && definition.flag !== undefined) found.push({ source: { kind: 'flag', flag: definition.flag }, text: flag });
    for (const name of variablesOf(definition)) {
      used.add(name);
      const entry = env.get(name);
      if (entry !== undefined) found.push({ source: { kind: 'environment', variable: entry.variable }, text: entry.text });
    }
    if (key === 'nodeName') found.push({ source: { kind: 'hostname' }, text: input.hostname.trim().toLowerCase() });
    return found;
  };

  const resolve = (key: ParameterKey): readonly [value: unknown, source: Source] => {
    const definition: Parameter<unknown> = parameters[key];
    let chosen: readonly [unknown, Source] | undefined;
    for (const { source, text } of candidates(key, definition)) {
      let value = definition.default;
      let from: Source = { kind: 'default' };
      // The host name is only looked at where nothing else names the node.
      if (source.kind === 'hostname' && chosen !== undefined) continue;
      try {
        value = parse(definition, text);
        from = source;
      } catch (error) {
        if (!(error instanceof ValueProblem)) throw error;
        const shown = definition.secret ? 'the value' : JSON.stringify(text);
        const problem = `${shown} is refused for ${nameOf(definition)}: ${error.message}`;
        if (definition.fatal || source.kind === 'flag') problems.push({ parameter: nameOf(definition), source, problem });
        else warnings.push(`${describeSource(source)}: ${problem}; the default ${JSON.stringify(definition.type.format(definition.default))} holds`);
      }
      chosen ??= [value, from];
    }
    return chosen ?? [definition.default, { kind: 'default' }];
  };

  const resolved = parameterKeys.map((key) => [key, ...resolve(key)] as const);
  const values = Object.freeze(Object.fromEntries(resolved.map(([key, value]) => [key, value]))) as Config;
  const sources = Object.freeze(Object.fromEntries(resolved.map(([key, , source]) => [key, source]))) as LoadedConfig['sources'];
  problems.push(...contradictions(values, sources));
  if (problems.length > 0) throw new ConfigInvalid(problems);

  const unknown = [...env.keys()].filter((name) => !used.has(name));
  // A name of our own that nobody reads is a typing mistake; Felix's names are many, and mostly not ours.
  for (const name of unknown) if (mistyped(name)) warnings.push(`environment ${name}: there is no such parameter`);
  return Object.freeze({
    values,
    sources,
    warnings: Object.freeze([...warnings, ...withoutEffect(values, sources)]),
    ignored: Object.freeze(unknown.filter((name) => name.startsWith('FELIX_'))),
  });
}

/** Read by bin/caracal, before there is a process that could read the table. */
const LAUNCHER: ReadonlySet<string> = new Set(['CARACAL_HEAP_MB']);

/** Kubernetes gives a pod variables for each Service of its namespace; one may be called "caracal". */
function mistyped(name: string): boolean {
  return name.startsWith('CARACAL_') && !LAUNCHER.has(name) && !/^CARACAL_(SERVICE_|PORT($|_))/.test(name);
}

function contradictions(values: Config, sources: LoadedConfig['sources']): ConfigProblem[] {
  const found: ConfigProblem[] = [];
  const add = (key: ParameterKey, problem: string): void => {
    found.push({ parameter: nameOf(parameters[key]), source: sources[key], problem });
  };
  if (values.datastore === 'directory' && values.path === '') add('datastore', 'the directory datastore needs --path DIR');
  if ((values.apiCertFile === '') !== (values.apiKeyFile === '')) add('apiCertFile', 'K8S_CERT_FILE and K8S_KEY_FILE go together');
  return found;
}

function withoutEffect(values: Config, sources: LoadedConfig['sources']): string[] {
  const found: string[] = [];
  if (values.nftablesMode === 'Enabled') {
    found.push(`${describeSource(sources.nftablesMode)}: native nftables is not supported; policy is enforced with iptables`);
  }
  if (values.datastore === 'kubernetes' && values.path !== '') {
    found.push(`${describeSource(sources.path)}: a path has no effect without --datastore directory`);
  }
  return found;
}
