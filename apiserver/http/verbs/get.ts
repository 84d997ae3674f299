import { badRequest } from '#api/meta/status.ts';
import { scaleTable } from '#api/autoscaling/scale-table.ts';
import type { KindDefinition } from '#api/kind.ts';
import type { Encoded } from '../../registry/contract.ts';
import type { Exchange } from '../exchange.ts';
import { excerptElsewhere } from '../excerpt.ts';
import type { Wanted } from '../negotiate.ts';
import { readContext } from '../options.ts';
import { isPretty, sendBytes, sendEncoded, sendValue, jsonType } from '../respond.ts';
import { joined, notTransformable, parseIncludeObject, partialJson, TableMaker } from '../table.ts';
import { type Verb, type VerbDeps, wantedOf } from './verb.ts';

/** Serves one object or subresource. */
export const get: Verb = async (exchange, kind, deps) => {
  const wanted = wantedOf(exchange, kind, deps);
  if (exchange.query.flag('export')) throw badRequest('the export parameter, deprecated since v1.14, is no longer supported');
  const resourceVersion = exchange.query.get('resourceVersion') ?? '';
  const encoded = await deps.registry.get(kind, exchange.info.pathName, resourceVersion, readContext(exchange));
  await sendObject(exchange, wanted, { code: 200, kind, encoded }, deps);
};

/** Sends an object in the negotiated form; the response of get, create, update, patch and delete. */
export function sendObject(
  exchange: Exchange,
  wanted: Wanted,
  { code, kind, encoded }: { readonly code: number; readonly kind: KindDefinition; readonly encoded: Encoded },
  deps: Pick<VerbDeps, 'clock' | 'codec'>,
): Promise<void> | undefined {
  if (wanted.form === 'object') return sendEncoded(exchange, wanted, code, encoded);
  if (wanted.form === 'partial-list') throw notTransformable(kind, 'object');
  const excerpt = excerptElsewhere(exchange, wanted, kind, deps)(encoded);
  const send = (made?: Uint8Array): void => sendJson(exchange, wanted, code, jsonOf(exchange, wanted, { kind, encoded, made }, deps));
  if (excerpt !== undefined) return excerpt.then(send);
  send();
  return undefined;
}

interface Shown {
  readonly kind: KindDefinition;
  readonly encoded: Encoded;
  /** The table row or partial object, where the process for large objects has rendered it. */
  readonly made: Uint8Array | undefined;
}

function jsonOf(exchange: Exchange, wanted: Wanted, { kind, encoded, made }: Shown, deps: Pick<VerbDeps, 'clock' | 'codec'>): Uint8Array {
  if (wanted.form !== 'table') return made ?? partialJson(encoded, wanted.formVersion);
  // The columns of a Scale do not depend on the scaled kind.
  const shown = exchange.info.subresource === 'scale' ? scaleTable : kind;
  return new TableMaker(shown, parseIncludeObject(exchange.query), wanted.formVersion, deps).single(encoded, true, made);
}

function sendJson(exchange: Exchange, wanted: Wanted, code: number, json: Uint8Array): void {
  if (wanted.encoding !== 'json' || isPretty(exchange)) return sendValue(exchange, wanted, code, JSON.parse(Buffer.from(json).toString()));
  exchange.audit?.answeredJson(json);
  sendBytes(exchange, code, jsonType, joined('', json, '\n'));
}
