// Which profiles the endpoints of this node name.
//
//   local endpoints ──▶ ┌─────────────────┐
//   profiles        ──▶ │ active profiles │ ──▶ names of profiles to render anew or to drop
//                       └─────────────────┘
//
// A profile that is named but absent (its namespace is not known yet, or no longer) is active too: it denies everything, and what an
// endpoint's later profiles allow is not asked. But one of Calico's exists without an object: its controllers name it in the host
// endpoints that they make for every node.

import { RefCounts } from '../lib/ref-counts.ts';
import type { Profile } from '../model/profile.ts';
import type { Rule } from '../model/rule.ts';
import { anyEntity } from '../model/rule.ts';
import type { Profiles } from './index/profiles.ts';
import type { Subject, SubjectKey } from './subject.ts';

const noNames: readonly string[] = [];

const defaultAllow = 'projectcalico-default-allow';

export class ActiveProfiles {
  readonly #profiles: Profiles;
  readonly #users = new RefCounts<string>();
  readonly #byEndpoint = new Map<SubjectKey, readonly string[]>();
  #changed = new Set<string>();

  constructor(profiles: Profiles) {
    this.#profiles = profiles;
  }

  setEndpoint(key: SubjectKey, endpoint: Subject | undefined): void {
    const before = this.#byEndpoint.get(key) ?? noNames;
    const after = endpoint?.profiles ?? noNames;
    for (const name of after) if (this.#users.acquire(name)) this.#changed.add(name);
    for (const name of before) if (this.#users.release(name)) this.#changed.add(name);
    if (endpoint === undefined) this.#byEndpoint.delete(key);
    else this.#byEndpoint.set(key, after);
  }

  profileChanged(name: string): void {
    if (this.#users.has(name)) this.#changed.add(name);
  }

  /** An active profile, by name. */
  profile(name: string): Profile | undefined {
    return this.#users.has(name) ? (this.#profiles.get(name) ?? withOneRule(name, name === defaultAllow ? 'allow' : 'deny')) : undefined;
  }

  /** Names of profiles that became active or inactive, or changed while active. */
  flush(): ReadonlySet<string> {
    const changed = this.#changed;
    this.#changed = new Set();
    return changed;
  }
}

function withOneRule(name: string, action: 'allow' | 'deny'): Profile {
  const origin = { kind: 'Profile', apiVersion: 'projectcalico.org/v3', namespace: '', name, generation: 0 };
  const rules: readonly Rule[] = [{ action, source: anyEntity, destination: anyEntity, index: 0 }];
  return { origin, name, labels: [], ingress: rules, egress: rules };
}
