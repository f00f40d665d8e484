// What decoders need to know besides the object: which node this is, what else runs on it, and the shared values of earlier objects.

import { deepEqual } from '../../lib/deep-equal.ts';
import { type Labels, sameLabels } from '../../model/labels.ts';
import type { EndpointPort } from '../../model/net/port.ts';
import type { EntityMatch, Rule } from '../../model/rule.ts';
import { anyEntity } from '../../model/rule.ts';
import type { Selector } from '../../model/selector/ast.ts';
import { hashTexts, Interner } from './interner.ts';

export interface NodeIdentity {
  /** Name of this node, as in spec.nodeName. */
  readonly node: string;
  /** What names of workload interfaces begin with, e.g. "cali". */
  readonly interfacePrefix: string;
  /**
   * Something else enforces http matches, behind us: rules that have one allow the connection. Otherwise (also when absent) they
   * allow nothing.
   */
  readonly httpIsEnforcedElsewhere?: boolean;
}

const always = (): true => true;

/**
 * What is larger is not shared: a shared value is kept for some time after the last object that has it. Whoever may change one object
 * again and again would fill the memory of every node with what it was before. Texts are those of labels, at most.
 */
const maxEntries = 64;
const maxLength = 512;

export class DecodeContext {
  readonly node: string;
  readonly interfacePrefix: string;
  readonly httpIsEnforcedElsewhere: boolean;
  readonly #texts = new Interner<string, string>();
  readonly #lists = new Interner<number, readonly string[]>();
  readonly #ports = new Interner<number, readonly EndpointPort[]>();
  readonly #selections = new Interner<string, EntityMatch>();
  readonly #rules = new Interner<number, Rule>();

  constructor(identity: NodeIdentity) {
    this.node = identity.node;
    this.interfacePrefix = identity.interfacePrefix;
    this.httpIsEnforcedElsewhere = identity.httpIsEnforcedElsewhere ?? false;
  }

  text(text: string): string {
    return text.length > maxLength ? text : this.#texts.get(text, always, () => text);
  }

  /** Labels, or names of profiles. */
  list(list: readonly string[]): Labels {
    if (list.length > maxEntries) return list;
    return this.#lists.get(hashTexts(list), (known) => sameLabels(known, list), () => list.map((text) => this.text(text)));
  }

  ports(ports: readonly EndpointPort[]): readonly EndpointPort[] {
    if (ports.length > maxEntries) return ports;
    return this.#ports.get(hashTexts(ports.map(({ name, protocol, port }) => `${name}/${protocol}/${port}`)), (known) => deepEqual(known, ports), () => ports);
  }

  /** All that a selector selects. Several rules of a namespace often name the same. */
  selection(selector: Selector): EntityMatch {
    const { nets, notNets, ports, notPorts } = anyEntity;
    const make = (): EntityMatch => ({ nets, notNets, selector, ports, notPorts });
    return selector.text.length > maxLength ? make() : this.#selections.get(selector.text, always, make);
  }

  /** Policies of many namespaces are often alike but for their own name: DNS is allowed in each. */
  rule(rule: Rule): Rule {
    if (isLarge(rule.source) || isLarge(rule.destination)) return rule;
    const hash = hashTexts([`${rule.index} ${rule.protocol}`, ...textsOf(rule.source), ...textsOf(rule.destination)]);
    return this.#rules.get(hash, (known) => deepEqual(known, rule), () => rule);
  }
}

function isLarge({ selector, nets, notNets, ports }: EntityMatch): boolean {
  return nets.length > maxEntries || notNets.length > maxEntries || ports.length > maxEntries || (selector?.text.length ?? 0) > maxLength;
}

function textsOf({ selector, nets, ports }: EntityMatch): readonly string[] {
  const portTexts = ports.map((port) => ('name' in port ? port.name : `${port.first}-${port.last}`));
  return selector === undefined ? [...nets, ...portTexts] : [selector.text, ...portTexts];
}
