// Random selectors of Calico's language, as text: every operator, both quotes, odd white space, and about whom they may be.

import * as fc from 'fast-check';
import { accountNames, namespaceNames } from './vocabulary.ts';

type Keys = Readonly<Record<string, readonly string[]>>;

const ownKeys: Keys = { app: ['web', 'db', 'api'], tier: ['front', 'back', ''], 'example.com/zone': ['x', 'y'], role: ['outside', 'node'] };
const namespaceKeys: Keys = { env: ['prod', 'test', ''], team: ['red', 'blue'], 'projectcalico.org/name': namespaceNames };
const inheritedKeys: Keys = { 'pcns.env': ['prod', 'test'], 'pcsa.team': ['red', 'blue'], 'projectcalico.org/namespace': namespaceNames, 'projectcalico.org/serviceaccount': accountNames };

const quoted = (value: string): fc.Arbitrary<string> => fc.constantFrom(`"${value}"`, `'${value}'`);

function atom(keys: Keys): fc.Arbitrary<string> {
  return fc.oneof(
    ...Object.entries(keys).map(([key, values]) => {
      const value = fc.constantFrom(...values);
      const set = fc.uniqueArray(fc.constantFrom(...values, 'other'), { maxLength: 3 }).map((list) => `{${list.map((each) => `"${each}"`).join(', ')}}`);
      return fc.oneof(
        { weight: 5, arbitrary: value.chain(quoted).map((text) => `${key} == ${text}`) },
        { weight: 2, arbitrary: value.chain(quoted).map((text) => `${key}!=${text}`) },
        { weight: 2, arbitrary: fc.constant(`has(${key})`) },
        { weight: 2, arbitrary: set.map((text) => `${key} in ${text}`) },
        { weight: 1, arbitrary: set.map((text) => `${key} not in ${text}`) },
        { weight: 2, arbitrary: fc.tuple(fc.constantFrom('contains', 'starts with', 'ends with', 'startswith'), value).map(([word, text]) => `${key} ${word} "${text.slice(0, 2)}"`) },
      );
    }),
  );
}

function expression(word: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 10, arbitrary: word },
    { weight: 2, arbitrary: word.map((text) => `!${text}`) },
    { weight: 2, arbitrary: fc.tuple(word, word).map(([a, b]) => `${a} && ${b}`) },
    { weight: 2, arbitrary: fc.tuple(word, word).map(([a, b]) => `${a}||${b}`) },
    { weight: 1, arbitrary: fc.tuple(word, word, word).map(([a, b, c]) => `${a} || ${b} && !(${c})`) },
    { weight: 1, arbitrary: fc.tuple(word, word).map(([a, b]) => ` ! ( ${a} || ${b} ) `) },
  );
}

/** Of pods, network sets and hosts. */
export const selector = fc.oneof(
  { weight: 6, arbitrary: expression(atom(ownKeys)) },
  { weight: 1, arbitrary: expression(atom(inheritedKeys)) },
  { weight: 1, arbitrary: fc.constant('all()') },
);

/** Of policies: who is policed; wider, so that policies and pods meet. */
export const subject = fc.oneof({ weight: 3, arbitrary: fc.constantFrom('', 'all()') }, { weight: 6, arbitrary: selector });

export const namespaceSelector = fc.oneof({ weight: 6, arbitrary: expression(atom(namespaceKeys)) }, { weight: 2, arbitrary: fc.constant('all()') });

/** In a rule: hosts and sets of no namespace may be meant, too. */
export const entityNamespaceSelector = fc.oneof(
  { weight: 6, arbitrary: namespaceSelector },
  { weight: 2, arbitrary: fc.constant('global()') },
  { weight: 1, arbitrary: atom(namespaceKeys).map((text) => `!(${text} || all())`) },
  { weight: 1, arbitrary: atom(namespaceKeys).map((text) => `global() || ${text}`) },
);

/** Service accounts are labelled as namespaces are. */
export const accountSelector = fc.oneof({ weight: 4, arbitrary: expression(atom({ env: ['prod', 'test', ''], team: ['red', 'blue'] })) }, { weight: 1, arbitrary: fc.constant('all()') });

/** None of the language. */
export const brokenSelectors = ['app = "web"', 'app', 'has(app', 'app == web', 'app in ["web"]', 'app == "web" and has(tier)', 'global()'] as const;
