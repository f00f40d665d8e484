// Reads what iptables-save prints, as far as we care: our own chains in full, our rules in the chains of others, nothing of the
// rest. In: the text of one table, which the tool has vouched for as complete. Out: SavedTable. Foreign rules stay opaque.
//
// The text of a large table is megabytes, and V8 keeps all of it alive for one substring: what is kept is copied.

import { isOwnChain, isPlainName } from '../render/names.ts';
import type { PlacedRule } from './placed-rule.ts';

export interface SavedTable {
  /** Chains under our names. */
  readonly own: ReadonlyMap<string, readonly PlacedRule[]>;
  /** The kernel's own chains; null stands for a foreign rule. */
  readonly kernel: ReadonlyMap<string, readonly (PlacedRule | null)[]>;
  /** Rules with our hash in chains that are neither. */
  readonly strays: readonly { readonly chain: string; readonly rule: PlacedRule }[];
  /** Own chains that foreign rules refer to. */
  readonly pinned: ReadonlySet<string>;
}

const kernelChains = new Set(['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING']);
const ownHash = /-m comment --comment "?cali:([A-Za-z0-9_-]{16})"?(?= |$)/;
const unprintable = /[^\x20-\x7e]/;
const target = / -[jg] ([^ ]+)/;
const matchedSet = /--match-set ([^ ]+)/g;

/** `intern` may return a rule of a chain of ours that is already known by its hash; it is kept instead of a copy. */
export function parseSave(text: string, intern: (chain: string, hash: string) => PlacedRule | undefined = () => undefined): SavedTable {
  const own = new Map<string, PlacedRule[]>();
  const kernel = new Map<string, (PlacedRule | null)[]>();
  const strays: { chain: string; rule: PlacedRule }[] = [];
  const pinned = new Set<string>();

  for (const line of lines(text)) {
    if (line.startsWith(':')) {
      const name = copy(line.slice(1, line.indexOf(' ')));
      if (kernelChains.has(name)) kernel.set(name, []);
      else if (isOwnChain(name)) own.set(name, []);
      continue;
    }
    if (!line.startsWith('-A ')) continue;
    const space = line.indexOf(' ', 3);
    // A rule without matches or target is "-A chain".
    const chain = space < 0 ? line.slice(3) : line.slice(3, space);
    const spec = space < 0 ? '' : line.slice(space + 1);
    const ownRules = own.get(chain);
    if (ownRules !== undefined) {
      const hash = hashOf(spec);
      ownRules.push(intern(chain, hash) ?? parseRule(spec, hash));
      continue;
    }
    const rule = parseForeign(spec);
    const kernelRules = kernel.get(chain);
    if (kernelRules !== undefined) kernelRules.push(rule ?? null);
    else if (rule !== undefined && rule.hash !== '' && isPlainName(chain)) strays.push({ chain: copy(chain), rule });
    else if (rule?.chain !== undefined) pinned.add(rule.chain);
  }
  return { own, kernel, strays, pinned };
}

/** Of a rule outside our chains: undefined unless it is ours, by its hash or (as old versions wrote them) by where it leads. */
function parseForeign(spec: string): PlacedRule | undefined {
  const mayBeOurs = spec.includes('cali') || spec.includes('felix-');
  if (!mayBeOurs || unprintable.test(spec)) return undefined;
  const hash = hashOf(spec);
  const rule = parseRule(spec, hash);
  return hash !== '' || (rule.chain !== undefined && isOwnChain(rule.chain)) ? rule : undefined;
}

/** Empty for a rule without one, and for a rule that we could not write back. */
function hashOf(spec: string): string {
  return unprintable.test(spec) ? '' : (ownHash.exec(spec)?.[1] ?? '');
}

function parseRule(spec: string, hash: string): PlacedRule {
  // Quoted text may hold anything: it must not be taken for an option.
  const options = ` ${spec.replace(/"(?:[^"\\]|\\.)*"/g, '""')}`;
  const chain = target.exec(options)?.[1];
  const sets = [...options.matchAll(matchedSet)].map((found) => copy(found[1] ?? ''));
  const kept = { hash: copy(hash), spec: copy(spec), sets };
  return chain === undefined ? kept : { ...kept, chain: copy(chain) };
}

function* lines(text: string): Generator<string> {
  let start = 0;
  while (start < text.length) {
    let end = text.indexOf('\n', start);
    if (end < 0) end = text.length;
    yield text.slice(start, end);
    start = end + 1;
  }
}

function copy(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}
