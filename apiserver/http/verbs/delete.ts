import type { V1DeleteOptions } from '#api/generated/types.ts';
import type { KindDefinition } from '#api/kind.ts';
import { deleteOptionsKind } from '#api/schema/delete-options.ts';
import { noteBody } from '../../audit/note-body.ts';
import type { DeleteAnswer, DeleteRequest } from '../../registry/contract.ts';
import { objectBody } from '../body.ts';
import type { Exchange } from '../exchange.ts';
import { sendList } from '../list-writer.ts';
import { parseDelete, parseListRequest } from '../options.ts';
import { sendValue } from '../respond.ts';
import { sendObject } from './get.ts';
import { type Verb, type VerbDeps, wantedOf } from './verb.ts';

/** Deletes one object, at once or gracefully. */
export const remove: Verb = async (exchange, kind, deps) => {
  const wanted = wantedOf(exchange, kind, deps);
  const { request, context } = parseDelete(exchange, await optionsBody(exchange, deps));
  warnOfOrphans(exchange, kind, request);
  const { gone, object, of } = await deps.registry.delete(kind, exchange.info.pathName, request, context);
  const code = !gone && request.orphanDependents === false ? 202 : 200;
  if (gone && kind.answersDeleted !== true) {
    return sendValue(exchange, wanted, 200, deletedStatus(kind, of));
  }
  await sendObject(exchange, wanted, { code, kind, encoded: object }, deps);
};

/** Deletes what a list request selects and answers the list of it. */
export const removeAll: Verb = async (exchange, kind, deps) => {
  const wanted = wantedOf(exchange, kind, deps);
  const list = parseListRequest(exchange.query);
  const { request, context } = parseDelete(exchange, await optionsBody(exchange, deps));
  warnOfOrphans(exchange, kind, request);
  const answer = await deps.registry.deleteCollection(kind, list, request, context);
  await sendList(exchange, wanted, kind, answer, deps);
};

function warnOfOrphans(exchange: Exchange, { orphanWarning }: KindDefinition, request: DeleteRequest): void {
  const isSaid = request.propagationPolicy !== undefined || request.orphanDependents !== undefined;
  if (orphanWarning !== undefined && !isSaid) exchange.warn(orphanWarning);
}

/** The DeleteOptions in the body, undefined where there is none. */
async function optionsBody(exchange: Exchange, { codec }: VerbDeps): Promise<V1DeleteOptions | undefined> {
  const body = await objectBody(exchange);
  if (body.bytes.length === 0) return undefined;
  const { object } = codec.decodeBody(body, deleteOptionsKind, 'Ignore');
  // As they came: decoding gives them a version and metadata of its own.
  const isText = body.mediaType !== 'application/vnd.kubernetes.protobuf';
  if (exchange.audit !== undefined) noteBody(exchange.audit, object, isText ? body : undefined);
  return object as V1DeleteOptions;
}

/** A Status of success: it carries no code. */
function deletedStatus(kind: KindDefinition, { name, uid }: DeleteAnswer['of']): object {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      ...(name === undefined ? {} : { name }),
      ...(kind.group === '' ? {} : { group: kind.group }),
      kind: kind.names.plural,
      ...(uid === undefined ? {} : { uid }),
    },
  };
}
