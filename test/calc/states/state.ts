// A named state of the cluster, and what this node must hold for it, written by hand.

import type { ActiveEntity, ActiveRule, EndpointTier } from '../../../src/model/desired.ts';
import type { Update } from '../../../src/model/update.ts';
import type { DesiredState } from '../../property/desired-state.ts';

export interface NamedState {
  readonly name: string;
  /** All objects that there are. */
  readonly objects: readonly Update[];
  readonly expected: Expected;
}

/** What is absent is not looked at; what is present is everything of its kind. */
export interface Expected {
  /** "use, description" to members. */
  readonly sets?: Readonly<Record<string, readonly string[]>>;
  /** Keys of the policies that are rendered. */
  readonly policies?: readonly string[];
  /** Names of the profiles that are rendered, with the number of rules for ingress. */
  readonly profiles?: Readonly<Record<string, number>>;
  /** Keys of endpoints to their tiers, each "name (end): policies", for ingress. */
  readonly ingress?: Readonly<Record<string, readonly string[]>>;
  readonly egress?: Readonly<Record<string, readonly string[]>>;
  /** Names of host endpoints to places to tiers, each "name (end): ingress | egress". */
  readonly hosts?: Readonly<Record<string, Readonly<Partial<Record<Place, readonly string[]>>>>>;
  /** Keys of policies to their rules for ingress, each as words. */
  readonly rules?: Readonly<Record<string, readonly string[]>>;
}

type Place = 'normal' | 'forward' | 'untracked' | 'preDnat';

/** What a state holds, in the terms of Expected; only the parts that `like` has. */
export function observed(state: DesiredState, like: Expected): Expected {
  const tiers = (direction: 'ingress' | 'egress'): Record<string, string[]> =>
    Object.fromEntries([...state.endpoints.values()].map(({ key, tiers: list }) => [key, list.flatMap((tier) => tierText(tier, [direction]))]));
  const whole: Required<Expected> = {
    sets: Object.fromEntries([...state.sets.values()].map(({ use, description, members }) => [`${use}, ${description}`, [...members].sort()])),
    policies: [...state.policies.keys()].sort(),
    profiles: Object.fromEntries([...state.profiles.values()].map(({ name, ingress }) => [name, ingress.length])),
    ingress: tiers('ingress'),
    egress: tiers('egress'),
    hosts: Object.fromEntries(
      [...state.hostEndpoints.values()].map((host) => {
        const places = (['normal', 'forward', 'untracked', 'preDnat'] as const).filter((place) => host[place].length > 0);
        return [host.key, Object.fromEntries(places.map((place) => [place, host[place].flatMap((tier) => tierText(tier, ['ingress', 'egress']))]))];
      }),
    ),
    rules: Object.fromEntries([...state.policies.values()].map(({ key, ingress }) => [key, ingress.map((rule) => ruleText(state, rule))])),
  };
  return Object.fromEntries(Object.keys(like).map((part) => [part, whole[part as keyof Expected]]));
}

function tierText({ name, defaultAction, ...policies }: EndpointTier, directions: readonly ('ingress' | 'egress')[]): string[] {
  const lists = directions.map((direction) => policies[direction].join(' '));
  return lists.every((list) => list === '') ? [] : [`${name} (${defaultAction}): ${lists.join(' | ')}`];
}

/** "allow 6 from set:<allow, has(x)> net:10.0.0.0/8 to port:80-80 # why=because". */
function ruleText(state: DesiredState, { action, protocol, source, destination, comments = [] }: ActiveRule): string {
  const words = [action, ...(protocol === undefined ? [] : [String(protocol)])];
  for (const [word, entity] of [['from', source], ['to', destination]] as const) {
    const matches = entityText(state, entity);
    if (matches.length > 0) words.push(word, ...matches);
  }
  return [...words, ...comments.map((comment) => `# ${comment}`)].join(' ');
}

function entityText(state: DesiredState, entity: ActiveEntity): string[] {
  const named = (word: string, ids: readonly string[]): string[] => ids.map((id) => `${word}:<${state.sets.get(id)?.use}, ${state.sets.get(id)?.description}>`);
  const ports = (word: string, ranges: ActiveEntity['ports']): string[] => ranges.map(({ first, last }) => `${word}:${first}-${last}`);
  return [
    ...entity.nets.map((net) => `net:${net}`),
    ...entity.notNets.map((net) => `not-net:${net}`),
    ...named('set', entity.sets),
    ...named('not-set', entity.notSets),
    ...ports('port', entity.ports),
    ...ports('not-port', entity.notPorts),
    ...named('port-set', entity.portSets),
    ...named('not-port-set', entity.notPortSets),
    ...named('service', entity.serviceSets),
  ];
}
