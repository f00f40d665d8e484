// What the API server serves of the groups that matter here. In: the groups and versions wanted, with the resources of each. Out:
// for each of them the resources it has, or that it is not served, or that the server can't tell.
//
//   /apis ──▶ has all that is wanted ──▶ done (the same again: 304)
//     └─ lacks some ──▶ /apis/<group>/<version> ──▶ 200, 404, or nobody knows
//
// The second question is asked because the first may be answered too early: an API server that has just started (and is not ready)
// lists what it has found so far, but says 503 instead of 404 under a path that may yet come. Servers before 1.27 answer the first
// one with groups only; they are asked the second one for every group.

import { ResponseBroken } from '../errors.ts';
import { type Fields, fieldsOf, shown } from '../resources/wire.ts';
import { refusalOf } from './refusal.ts';
import { readAll, type Transport } from './transport.ts';

/** Group and version → plural names of resources. */
export type WantedApis = ReadonlyMap<string, ReadonlySet<string>>;

/** Group and version → the resources that are served in it; "absent" where it does not exist, "unknown" where nobody can tell. */
export type ServedApis = ReadonlyMap<string, ReadonlySet<string> | 'absent' | 'unknown'>;

const json = 'application/json';
const aggregated = ['v2', 'v2beta1'].map((version) => `${json};g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`);

export class Discovery {
  readonly #transport: Transport;
  readonly #wanted: WantedApis;
  /** Of the last answer in which nothing was unknown. */
  #etag: string | undefined;
  #last: ServedApis = new Map();

  constructor(transport: Transport, wanted: WantedApis) {
    this.#transport = transport;
    this.#wanted = wanted;
  }

  /** @throws RequestFailure; what is served is then not known, which is never "nothing". */
  async read(signal: AbortSignal): Promise<ServedApis> {
    const accept = [...aggregated, json].join(',');
    const response = await this.#transport.get('/apis', {}, { accept, signal, ...(this.#etag === undefined ? {} : { ifNoneMatch: this.#etag }) });
    const body = await readAll(response);
    if (response.status === 304 && this.#etag !== undefined) return this.#last;
    if (response.status !== 200) throw refusalOf(response, body);
    const listed = readGroups(parse(body));
    const served = new Map<string, ReadonlySet<string> | 'absent' | 'unknown'>();
    for (const [apiVersion, plurals] of this.#wanted) {
      const resources = listed.get(apiVersion);
      const complete = resources !== undefined && [...plurals].every((plural) => resources.has(plural));
      served.set(apiVersion, complete ? resources : await this.#readVersion(apiVersion, signal));
    }
    this.#last = served;
    this.#etag = [...served.values()].includes('unknown') ? undefined : response.etag;
    return served;
  }

  async #readVersion(apiVersion: string, signal: AbortSignal): Promise<ReadonlySet<string> | 'absent' | 'unknown'> {
    const response = await this.#transport.get(`/apis/${apiVersion}`, {}, { accept: json, signal });
    const body = await readAll(response);
    if (response.status === 200) return readResources(parse(body));
    if (response.status === 404) return 'absent';
    // A server that has just started, or an aggregated one that is down.
    if (response.status >= 500 || response.status === 429) return 'unknown';
    throw refusalOf(response, body);
  }
}

/** Of an APIGroupDiscoveryList. Of an APIGroupList nothing: it names no resources. */
function readGroups(list: Fields): ReadonlyMap<string, ReadonlySet<string>> {
  if (list['kind'] === 'APIGroupList') return new Map();
  if (list['kind'] !== 'APIGroupDiscoveryList') throw new ResponseBroken(`expected a list of API groups, got ${shown(list['kind'])}`);
  const served = new Map<string, ReadonlySet<string>>();
  for (const group of objectsOf(list['items'])) {
    const name = fieldsOf(group['metadata'])?.['name'];
    for (const version of objectsOf(group['versions'] ?? [])) {
      // A stale one is what an aggregated server served when it was last reached.
      if (version['freshness'] === 'Stale') continue;
      served.set(`${String(name)}/${String(version['version'])}`, namesOf(version['resources'] ?? [], 'resource'));
    }
  }
  return served;
}

/** Of an APIResourceList. */
function readResources(list: Fields): ReadonlySet<string> {
  if (list['kind'] !== 'APIResourceList') throw new ResponseBroken(`expected a list of API resources, got ${shown(list['kind'])}`);
  return namesOf(list['resources'], 'name');
}

function namesOf(list: unknown, field: string): ReadonlySet<string> {
  return new Set(objectsOf(list).map((resource) => String(resource[field])));
}

/** @throws ResponseBroken: half of an answer must not look like less being served. */
function objectsOf(list: unknown): readonly Fields[] {
  const objects = Array.isArray(list) ? list.map(fieldsOf) : undefined;
  if (objects === undefined || !objects.every((each) => each !== undefined)) throw new ResponseBroken(`a list in API discovery that is none: ${shown(list)}`);
  return objects;
}

function parse(body: Buffer): Fields {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch (cause) {
    throw new ResponseBroken('API discovery that is no JSON', { cause });
  }
  const fields = fieldsOf(value);
  if (fields === undefined) throw new ResponseBroken('API discovery that is no JSON object');
  return fields;
}
