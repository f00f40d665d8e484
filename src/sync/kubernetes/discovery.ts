// What the API server serves of the groups that matter here. In: the groups and versions wanted, with the resources of each. Out:
// for each of them the resources it has, or that it is not served, or that the server can't tell.
//
//   /apis ──▶ has all that is wanted ──▶ done (the same again: 304)
//     └─ lacks some ──▶ /apis/<group>/<version> ──▶ has it ──▶ done
//                         └─ lacks it, and it was not absent before ──▶ a list of it ──▶ 200, 404, or nobody knows
//
// The further questions are asked because the first may be answered too early. For some hundred milliseconds an API server that has
// just started lists what it has found so far; under the path of a group it says 503 until it knows all groups, but then for a
// moment 404; a list is answered right from the time on at which it is no longer answered by 503. Servers before 1.27 answer the
// first question with groups only; they are asked the second one for every group.

import { type RequestRefused, ResponseBroken } from '../errors.ts';
import { type Fields, fieldsOf, shown } from '../resources/wire.ts';
import { refusalOf } from './refusal.ts';
import { readAll, type Transport } from './transport.ts';

/** Group and version → plural names of resources. */
export type WantedApis = ReadonlyMap<string, ReadonlySet<string>>;

/** Group and version → the resources that are served in it; "absent" where it does not exist, "unknown" where nobody can tell. */
export type ServedApis = ReadonlyMap<string, Resources | 'absent' | 'unknown'>;

type Resources = ReadonlySet<string>;

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
    const read = async ([apiVersion, plurals]: [string, ReadonlySet<string>]) => [apiVersion, await this.#readVersion(apiVersion, plurals, listed.get(apiVersion), signal)] as const;
    const served: ServedApis = new Map(await Promise.all([...this.#wanted].map(read)));
    this.#last = served;
    this.#etag = [...served.values()].includes('unknown') ? undefined : response.etag;
    return served;
  }

  async #readVersion(apiVersion: string, plurals: ReadonlySet<string>, listed: Resources | undefined, signal: AbortSignal): Promise<Resources | 'absent' | 'unknown'> {
    if (listed !== undefined && plurals.isSubsetOf(listed)) return listed;
    const version = await this.#get(`/apis/${apiVersion}`, {}, signal);
    if (version.status === 403) throw version.refusal;
    if (version.status === 'unknown') return 'unknown';
    const resources = version.status === 200 ? readResources(parse(version.body)) : undefined;
    const doubtful = [...plurals.difference(resources ?? new Set())].filter((plural) => !this.#wasAbsent(apiVersion, plural));
    const answers = await Promise.all(doubtful.map(async (plural) => ({ plural, ...(await this.#get(`/apis/${apiVersion}/${plural}`, { limit: '1' }, signal)) })));
    if (answers.some((answer) => answer.status === 'unknown')) return 'unknown';
    // Whom the server forbids to list it (403), it does not tell whether it is there: the question before has been answered.
    const found = answers.filter((answer) => answer.status === 200).map(({ plural }) => plural);
    return resources === undefined && found.length === 0 ? 'absent' : new Set([...(resources ?? []), ...found]);
  }

  #wasAbsent(apiVersion: string, plural: string): boolean {
    const last = this.#last.get(apiVersion);
    return last !== undefined && last !== 'unknown' && (last === 'absent' || !last.has(plural));
  }

  /** "unknown": a server that has just started, or an aggregated one that is down. */
  async #get(path: string, query: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Answer> {
    const response = await this.#transport.get(path, query, { accept: json, signal });
    const body = await readAll(response);
    const { status } = response;
    if (status === 200) return { status, body };
    const refusal = refusalOf(response, body);
    if (status === 403 || status === 404) return { status, refusal };
    if (status >= 500 || status === 429) return { status: 'unknown' };
    throw refusal;
  }
}

type Answer = { readonly status: 200; readonly body: Buffer } | { readonly status: 403 | 404; readonly refusal: RequestRefused } | { readonly status: 'unknown' };

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
