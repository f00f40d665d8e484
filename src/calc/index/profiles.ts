// The profiles by name, and which of them have a label: endpoints inherit labels that are not their own from the profiles they name.

import type { Labels } from '../../model/labels.ts';
import { noLabels } from '../../model/labels.ts';
import type { Profile } from '../../model/profile.ts';
import { LabelPostings } from './label-postings.ts';
import type { Term } from './term.ts';

export class Profiles {
  readonly #ids = new Map<string, number>();
  readonly #profiles: (Profile | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #postings = new LabelPostings((id) => this.#profiles[id]?.labels ?? noLabels);

  get(name: string): Profile | undefined {
    const id = this.#ids.get(name);
    return id === undefined ? undefined : this.#profiles[id];
  }

  labels(name: string): Labels {
    return this.get(name)?.labels ?? noLabels;
  }

  set(name: string, profile: Profile | undefined): void {
    let id = this.#ids.get(name);
    if (id === undefined) {
      if (profile === undefined) return;
      id = this.#free.pop() ?? this.#profiles.length;
      this.#ids.set(name, id);
    }
    const before = this.#profiles[id]?.labels ?? noLabels;
    this.#profiles[id] = profile;
    this.#postings.replace(id, before, profile?.labels ?? noLabels);
    if (profile === undefined) {
      this.#ids.delete(name);
      this.#free.push(id);
    }
  }

  /** How many profiles eachWith() visits at most. */
  count(term: Term): number {
    return this.#postings.count(term);
  }

  /** Calls back with the name of every profile that satisfies the term, and of some that do not, some of them twice. */
  eachWith(term: Term, visit: (name: string) => void): void {
    this.#postings.each(term, (id) => {
      const profile = this.#profiles[id];
      if (profile !== undefined) visit(profile.name);
    });
  }
}
