// One complete list of a kind, page by page. In: a transport, and where each object goes. Out: the resourceVersion to watch from.
// A list that breaks off is no list: the caller drops what was collected.

import type { AnyResource } from '../resources/resource.ts';
import { collectionPath } from '../resources/resource.ts';
import type { Replacement } from '../resources/resource-cache.ts';
import { ResponseBroken } from '../errors.ts';
import type { Decoder } from './decoder.ts';
import { refusalOf } from './refusal.ts';
import { readAll, type RequestOptions, type Transport } from './transport.ts';

/** A page is in memory at once, decoded; this many pods are some five megabytes. */
const pageSize = 500;

/** A kind where it is served. */
export type Collection = Pick<AnyResource, 'kind' | 'apiVersion' | 'plural'>;

export interface ListTarget {
  readonly collection: Collection;
  readonly transport: Transport;
  readonly decoder: Decoder<unknown>;
  readonly signal: AbortSignal;
  readonly replacement: Replacement;
  /** Something arrived. */
  readonly onHeard: () => void;
}

/** @throws RequestFailure */
export async function readList({ collection, transport, decoder, signal, replacement, onHeard }: ListTarget): Promise<string> {
  const options: RequestOptions = { accept: decoder.mediaType, signal };
  let continueToken: string | undefined;
  for (;;) {
    // No resourceVersion: the present state, not one that a cache may have held for long. With 0 the limit would be ignored.
    const query = { limit: String(pageSize), ...(continueToken === undefined ? {} : { continue: continueToken }) };
    const response = await transport.get(collectionPath(collection), query, options);
    const body = await readAll(response);
    onHeard();
    if (response.status !== 200) throw refusalOf(response, body);
    const page = decoder.listPage(body, `${collection.kind}List`);
    for (const item of page.items) replacement.add(item);
    if (page.continueToken === undefined) return page.resourceVersion;
    if (page.continueToken === continueToken) throw new ResponseBroken('a list that continues with the page it has just sent');
    continueToken = page.continueToken;
  }
}
