// What can go wrong between the agent and the place its objects come from. One class per failure; each says what is done then.

/** A source was told something that no retry can mend. The process ends with the message; the operator follows the remedy. */
export class SourceOptionsInvalid extends Error {
  readonly code = 'SOURCE_OPTIONS_INVALID';
  readonly remedy: string;
  constructor(message: string, remedy: string, options?: ErrorOptions) {
    super(`${message}: ${remedy}`, options);
    this.name = 'SourceOptionsInvalid';
    this.remedy = remedy;
  }
}

/** The API server answered, but not with what was asked for: as HTTP status, or as an ERROR event of a watch. Retried. */
export class RequestRefused extends Error {
  readonly code = 'REQUEST_REFUSED';
  readonly status: number;
  /** The API's word for it, e.g. "Forbidden". */
  readonly reason: string;
  /** What the server asks us to wait, in milliseconds. */
  readonly retryAfter: number;
  /** The server has no events from that resourceVersion on: a list is needed. */
  readonly expired: boolean;
  constructor(status: number, reason: string, message: string, { retryAfter = 0, expired = status === 410 } = {}) {
    super(`${status} ${reason}${message === '' ? '' : `: ${message}`}`);
    this.name = 'RequestRefused';
    this.status = status;
    this.reason = reason;
    this.retryAfter = retryAfter;
    this.expired = expired;
  }
}

/** No connection, no answer in time, silence, or a connection that broke. Retried; what was read stays. */
export class ConnectionFailed extends Error {
  readonly code = 'CONNECTION_FAILED';
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ConnectionFailed';
  }
}

/** The answer is not what the API serves: no JSON, a list without items, an unknown event. Never taken for "empty"; listed anew. */
export class ResponseBroken extends Error {
  readonly code = 'RESPONSE_BROKEN';
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ResponseBroken';
  }
}

/** Why a request brought no answer, or no more of it. Anything else that is thrown is a fault of this program. */
export type RequestFailure = RequestRefused | ConnectionFailed | ResponseBroken;

export function isRequestFailure(error: unknown): error is RequestFailure {
  return error instanceof RequestRefused || error instanceof ConnectionFailed || error instanceof ResponseBroken;
}
