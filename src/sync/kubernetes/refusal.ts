// An answer other than 200, as an error: from the Status object in its body where there is one, else from the status alone (a
// proxy's answer).

import { RequestRefused } from '../errors.ts';
import { fieldsOf } from '../resources/wire.ts';
import { type ApiStatus, readStatus } from './decoder.ts';
import type { ApiResponse } from './transport.ts';

const reasons: Readonly<Record<number, string>> = Object.freeze({
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  410: 'Gone',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  502: 'BadGateway',
  503: 'ServiceUnavailable',
  504: 'Timeout',
});

/** A proxy's error page is of no use to anybody. */
const longestMessage = 300;

export function refusalOf(response: Pick<ApiResponse, 'status' | 'retryAfter'>, body: Buffer): RequestRefused {
  const status = readStatus(parse(body), response.status);
  return refused({ ...status, code: response.status, retryAfter: Math.max(response.retryAfter, status.retryAfter) });
}

export function refused({ code, reason, message, retryAfter, fromTheFuture }: ApiStatus): RequestRefused {
  const word = reason === 'Unknown' ? (reasons[code] ?? reason) : reason;
  return new RequestRefused(code, word, message.slice(0, longestMessage), { retryAfter, expired: code === 410 || fromTheFuture });
}

function parse(body: Buffer): unknown {
  try {
    return fieldsOf(JSON.parse(body.toString('utf8')));
  } catch {
    return undefined;
  }
}
