// The query of a log request: a v1.PodLogOptions in parameters. Pure.
import type { LogOptions } from '../runtime/io-contract.ts';
import { HttpProblem } from './http-problem.ts';

interface LogQuery {
  readonly previous: boolean;
  readonly options: LogOptions;
}

const undecodable = '{"message": "Unable to decode query."}';
const invalid = '{"message": "Invalid request."}';
const streams = ['All', 'Stdout', 'Stderr'] as const;

/** Throws HttpProblem 400 for values of the wrong form, 422 for values that make no sense. */
export function parseLogQuery(query: URLSearchParams, nowMs: number): LogQuery {
  const tail = query.get('tail');
  const tailLines = tail === 'all' ? undefined : integer(tail ?? query.get('tailLines'));
  const limitBytes = integer(query.get('limitBytes'));
  const sinceSeconds = integer(query.get('sinceSeconds'));
  const sinceTime = query.get('sinceTime');
  const stream = streams.find((one) => one === (query.get('stream') ?? 'All'));
  const isInvalid =
    (tailLines !== undefined && tailLines < 0) ||
    (limitBytes !== undefined && limitBytes < 1) ||
    (sinceSeconds !== undefined && (sinceSeconds < 1 || sinceTime !== null)) ||
    stream === undefined ||
    (tailLines !== undefined && stream !== 'All');
  if (isInvalid) throw new HttpProblem(422, invalid);
  const sinceMs = sinceSeconds === undefined ? time(sinceTime) : nowMs - sinceSeconds * 1_000;
  return {
    previous: flag(query.get('previous')),
    options: {
      follow: flag(query.get('follow')),
      timestamps: flag(query.get('timestamps')),
      stream,
      ...(tailLines === undefined ? {} : { tailLines }),
      ...(limitBytes === undefined ? {} : { limitBytes }),
      ...(sinceMs === undefined ? {} : { sinceMs }),
    },
  };
}

function integer(text: string | null): number | undefined {
  if (text === null || text === '') return undefined;
  if (!/^[+-]?\d+$/.test(text)) throw new HttpProblem(400, undecodable);
  return Number(text);
}

function time(text: string | null): number | undefined {
  if (text === null || text === '') return undefined;
  const ms = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw new HttpProblem(400, undecodable);
  return ms;
}

/** As upstream reads switches: anything but `0` and `false` turns them on. */
function flag(text: string | null): boolean {
  return text !== null && text !== '0' && text.toLowerCase() !== 'false';
}
