// From the bytes of a response to wire objects. In: one frame of a watch, or one page of a list. Out: objects of type T with what
// list and watch need to know of them. Behind an interface, so that a leaner encoding can take the place of JSON for some kinds.

import { ResponseBroken } from '../errors.ts';
import { type Fields, fieldsOf } from '../resources/wire.ts';

export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T; readonly resourceVersion: string }
  /** Progress without an object; endsInitialList: all objects of the initial state have been sent. */
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string; readonly endsInitialList: boolean }
  | { readonly type: 'ERROR'; readonly status: ApiStatus };

/** The API's description of a failure (meta/v1 Status). */
export interface ApiStatus {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  /** Milliseconds. */
  readonly retryAfter: number;
  /** The resourceVersion is one that the server has not reached: its history was set back. */
  readonly fromTheFuture: boolean;
}

export interface ListPage<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  /** Absent on the last page. */
  readonly continueToken?: string;
}

export interface Decoder<T> {
  /** For the Accept header. */
  readonly mediaType: string;
  /** @throws ResponseBroken */
  watchEvent(frame: Buffer): WatchEvent<T>;
  /** @throws ResponseBroken */
  listPage(body: Buffer, listKind: string): ListPage<T>;
}

const initialEventsEnd = 'k8s.io/initial-events-end';

export const jsonDecoder: Decoder<unknown> = Object.freeze({ mediaType: 'application/json', watchEvent, listPage });

function watchEvent(frame: Buffer): WatchEvent<unknown> {
  const event = parse(frame);
  const { type, object } = event;
  if (type === 'ERROR') return { type, status: readStatus(object) };
  const metadata = fieldsOf(fieldsOf(object)?.['metadata']);
  const version = metadata?.['resourceVersion'];
  if (typeof version !== 'string' || version === '') throw new ResponseBroken(`a watch event without resourceVersion: ${excerpt(frame)}`);
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type, object, resourceVersion: version };
    case 'BOOKMARK':
      return { type, resourceVersion: version, endsInitialList: fieldsOf(metadata?.['annotations'])?.[initialEventsEnd] === 'true' };
    default:
      throw new ResponseBroken(`a watch event of an unknown type: ${excerpt(frame)}`);
  }
}

function listPage(body: Buffer, listKind: string): ListPage<unknown> {
  const { kind, items, metadata: unchecked } = parse(body);
  const metadata = fieldsOf(unchecked);
  const version = metadata?.['resourceVersion'];
  if (kind !== listKind || !Array.isArray(items) || typeof version !== 'string' || version === '') {
    throw new ResponseBroken(`expected a ${listKind} with items and a resourceVersion: ${excerpt(body)}`);
  }
  const token = metadata?.['continue'];
  return { items: items as readonly unknown[], resourceVersion: version, ...(typeof token === 'string' && token !== '' ? { continueToken: token } : {}) };
}

/** The Status in an ERROR event or in the body of a refusal; whatever it lacks is filled in. */
export function readStatus(value: unknown, httpStatus = 500): ApiStatus {
  const status = fieldsOf(value) ?? {};
  const details = fieldsOf(status['details']) ?? {};
  const causes = Array.isArray(details['causes']) ? (details['causes'] as readonly unknown[]) : [];
  const { code, reason, message } = status;
  const seconds = details['retryAfterSeconds'];
  return {
    code: typeof code === 'number' ? code : httpStatus,
    reason: typeof reason === 'string' && reason !== '' ? reason : 'Unknown',
    message: typeof message === 'string' ? message : '',
    retryAfter: typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : 0,
    fromTheFuture: causes.some((cause) => fieldsOf(cause)?.['reason'] === 'ResourceVersionTooLarge'),
  };
}

function parse(bytes: Buffer): Fields {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new ResponseBroken(`no JSON: ${excerpt(bytes)}`, { cause });
  }
  const fields = fieldsOf(value);
  if (fields === undefined) throw new ResponseBroken(`no JSON object: ${excerpt(bytes)}`);
  return fields;
}

/** The first bytes on one line, for a message. */
function excerpt(bytes: Buffer): string {
  return JSON.stringify(bytes.subarray(0, 120).toString('utf8'));
}
