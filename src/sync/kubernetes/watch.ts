// One watch request, from its start to its end. In: a transport and the query. Out: the events, those of one network chunk
// together.

import { collectionPath } from '../resources/resource.ts';
import type { Decoder, WatchEvent } from './decoder.ts';
import { LineSplitter } from './line-splitter.ts';
import type { Collection } from './list.ts';
import { refusalOf } from './refusal.ts';
import { readAll, type Transport } from './transport.ts';

export interface WatchTarget {
  readonly collection: Collection;
  readonly transport: Transport;
  readonly decoder: Decoder<unknown>;
  readonly signal: AbortSignal;
  readonly query: Readonly<Record<string, string>>;
  /** The server has accepted the request. */
  readonly onOpen: () => void;
  /** In the turn in which the chunk arrived; what it throws ends the watch. Empty where a chunk completes no event. */
  readonly onEvents: (events: readonly WatchEvent<unknown>[]) => void;
}

/** Resolves when the server has ended the watch; a last line that is not complete is no event. @throws RequestFailure */
export async function readWatch({ collection, transport, decoder, signal, query, onOpen, onEvents }: WatchTarget): Promise<void> {
  const response = await transport.get(collectionPath(collection), { watch: 'true', allowWatchBookmarks: 'true', ...query }, { accept: decoder.mediaType, signal });
  if (response.status !== 200) throw refusalOf(response, await readAll(response));
  onOpen();
  const lines = new LineSplitter();
  await response.read((chunk) => {
    const events: WatchEvent<unknown>[] = [];
    for (const line of lines.push(chunk)) events.push(decoder.watchEvent(line));
    onEvents(events);
  });
}
