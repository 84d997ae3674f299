import { ApiError } from '#api/meta/status.ts';
import type { Log } from '#base/log.ts';
import { EncodedApiError } from '../../large/encoded-error.ts';
import { StoreError } from '../../storage/contract.ts';
import { tooDeep } from '../../too-deep.ts';
import type { Exchange } from '../exchange.ts';
import { sendEncodedError, sendError, sendText } from '../respond.ts';
import type { Filter } from './filter.ts';

/** Turns whatever is thrown into an answer: refusals as they are, everything else as an internal error that is logged. */
export function recovery(log: Log): Filter {
  const failed = (exchange: Exchange, error: unknown): Promise<void> | undefined => {
    const { response } = exchange;
    const refusal = refusalFor(error);
    const about = { err: error, path: exchange.info.path, auditId: exchange.auditId };
    if (refusal === undefined && !exchange.isOver) log.error(about, 'a request failed');
    // Not sent by accident, unless by a loop of our own.
    if (error instanceof RangeError && refusal !== undefined) log.warn(about, 'a request went deeper than the stack allows');
    if (response.headersSent) {
      // The answer has begun and cannot be completed: the client must not take it for whole.
      if (!response.writableEnded) response.destroy();
      return undefined;
    }
    if (refusal instanceof EncodedApiError) {
      // Writing a long refusal may be refused itself.
      return sendEncodedError(exchange, refusal).catch((reason: unknown) => failed(exchange, reason));
    }
    if (refusal === undefined) sendText(exchange, 500, panicked);
    else sendError(exchange, refusal);
    return undefined;
  };
  return (exchange, next) => {
    try {
      const done = next(exchange);
      if (done !== undefined) return done.catch((error: unknown) => failed(exchange, error));
    } catch (error) {
      return failed(exchange, error);
    }
    return undefined;
  };
}

/** What is answered on purpose; undefined for unexpected errors. */
export function refusalFor(error: unknown): ApiError | undefined {
  if (error instanceof ApiError) return error;
  if (!(error instanceof StoreError)) return tooDeep(error);
  if (error.code === 'closed' || error.code === 'unavailable') {
    return new ApiError({ reason: 'ServiceUnavailable', message: error.message, cause: error });
  }
  return undefined;
}

/** The answer of a bug: upstream's panic handler writes no Status. */
const panicked = 'This request caused apiserver to panic. Look in the logs for details.\n';
