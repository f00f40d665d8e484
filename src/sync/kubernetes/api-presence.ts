// Which group and version serves each kind, after all that discovery has said so far.
//
// In: the answers of discovery, with their time. Out: for a kind the group and version to read it from, "absent" where it is not
// installed, "unknown" before somebody could tell.
// Always: what was served is so until discovery has lacked it twice, an interval apart; and the group that was chosen stays chosen
// until then, whatever other group appears.

import type { AnyResource } from '../resources/resource.ts';
import type { ServedApis, WantedApis } from './discovery.ts';

export type Whereabouts = { readonly apiVersion: string } | 'absent' | 'unknown';

interface Sighting {
  present: boolean;
  /** Since when discovery lacks what counts as present. */
  missingSince?: number;
}

export class ApiPresence {
  readonly #pin: string | undefined;
  /** Milliseconds between the first time that discovery lacks something and the time that counts. */
  readonly #confirmation: number;
  /** By group and version, and by group, version and plural. */
  readonly #sightings = new Map<string, Sighting>();
  /** By the groups and versions there are to choose from. */
  readonly #chosen = new Map<string, string>();

  /** @param pin the only one of its alternatives to be used; undefined: the first one that is served. */
  constructor(pin: string | undefined, confirmation: number) {
    this.#pin = pin;
    this.#confirmation = confirmation;
  }

  /** What discovery must be asked for. */
  wantedFor(resources: readonly AnyResource[]): WantedApis {
    const wanted = new Map<string, Set<string>>();
    for (const resource of resources) {
      if (resource.isOptional !== true) continue;
      for (const apiVersion of this.#candidates(resource)) {
        const plurals = wanted.get(apiVersion) ?? new Set();
        wanted.set(apiVersion, plurals.add(resource.plural));
      }
    }
    return wanted;
  }

  learn(wanted: WantedApis, served: ServedApis, now: number): void {
    for (const [apiVersion, plurals] of wanted) {
      const resources = served.get(apiVersion) ?? 'unknown';
      if (resources === 'unknown') continue;
      this.#see(apiVersion, resources !== 'absent', now);
      for (const plural of plurals) this.#see(`${apiVersion}/${plural}`, resources !== 'absent' && resources.has(plural), now);
    }
  }

  /** Something was lacking, and is not believed to be yet. */
  get isDoubtful(): boolean {
    return [...this.#sightings.values()].some(({ missingSince }) => missingSince !== undefined);
  }

  of(resource: AnyResource): Whereabouts {
    if (resource.isOptional !== true) return { apiVersion: resource.apiVersion };
    const apiVersion = this.#choose(this.#candidates(resource));
    if (apiVersion === 'absent' || apiVersion === 'unknown') return apiVersion;
    return this.#sightings.get(`${apiVersion}/${resource.plural}`)?.present === true ? { apiVersion } : 'absent';
  }

  /** Others that are served as well as the one that was chosen for the kind. */
  passedOver(resource: AnyResource): readonly string[] {
    const candidates = this.#candidates(resource);
    const chosen = this.#choose(candidates);
    return candidates.filter((each) => each !== chosen && this.#sightings.get(each)?.present === true);
  }

  #candidates(resource: AnyResource): readonly string[] {
    const all = [resource.apiVersion, ...(resource.otherApiVersions ?? [])];
    return this.#pin !== undefined && all.includes(this.#pin) ? [this.#pin] : all;
  }

  #choose(candidates: readonly string[]): string {
    const key = candidates.join();
    const chosen = this.#chosen.get(key);
    if (chosen !== undefined && this.#sightings.get(chosen)?.present === true) return chosen;
    this.#chosen.delete(key);
    for (const candidate of candidates) {
      const sighting = this.#sightings.get(candidate);
      // One that comes first may yet turn out to be served.
      if (sighting === undefined) return 'unknown';
      if (!sighting.present) continue;
      this.#chosen.set(key, candidate);
      return candidate;
    }
    return 'absent';
  }

  #see(key: string, present: boolean, now: number): void {
    const known = this.#sightings.get(key);
    if (present || known === undefined || !known.present) {
      this.#sightings.set(key, { present });
      return;
    }
    if (known.missingSince === undefined) known.missingSince = now;
    else if (now - known.missingSince >= this.#confirmation) this.#sightings.set(key, { present: false });
  }
}
