// Lists in protobuf. The length of everything stands before everything, so all items are encoded before the first byte goes out. What
// would take too much memory is only measured, and encoded again when its turn comes.
import type { KindDefinition } from '#api/kind.ts';
import { partialObjectMetadata } from '#api/schema/protobuf-encoder.ts';
import type { Encoded, ListAnswer } from '../registry/contract.ts';
import type { Exchange } from './exchange.ts';
import { listMeta, turn, writeChunks } from './list-writer.ts';
import { protobufType, type Wanted } from './negotiate.ts';

/** Encoded items that one answer may hold. */
const heldBytes = 32 * 1024 * 1024;
/** JSON that is read and encoded before other requests get their turn: a few milliseconds. */
const perTurnBytes = 128 * 1024;
const piecesPerTurn = 500;
const listMetaDefinition = 'io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta';

type Encode = (item: Encoded) => Uint8Array;

/** One item: its message, or only how long it is. */
interface Measured {
  readonly item: Encoded;
  readonly length: number;
  readonly message: Uint8Array | undefined;
}

export async function sendProtobufList(exchange: Exchange, wanted: Wanted, kind: KindDefinition, answer: ListAnswer): Promise<void> {
  const { protobuf } = exchange;
  const isPartial = wanted.form !== 'object';
  const encode: Encode = isPartial
    ? (item) => protobuf.message(partialObjectMetadata, { metadata: item.object().metadata })
    : (item) => protobuf.message(kind.schema, item.object());
  const measured = await measure(exchange, answer.items, encode);
  if (measured === undefined) return;
  // The old version of partial lists has its two fields the other way round.
  const [metaField, itemField] = isPartial && wanted.formVersion === 'v1beta1' ? [2, 1] : [1, 2];
  const meta = protobuf.message(listMetaDefinition, listMeta(answer));
  const metaPrefix = protobuf.prefix(metaField, meta.length);
  const prefixes = measured.map(({ length }) => protobuf.prefix(itemField, length));
  const total = measured.reduce((sum, { length }, at) => sum + length + (prefixes[at]?.length ?? 0), metaPrefix.length + meta.length);
  const type = isPartial
    ? { group: 'meta.k8s.io', version: wanted.formVersion, kind: 'PartialObjectMetadataList' }
    : { group: kind.group, version: kind.version, kind: `${kind.kind}List` };
  const { head, tail } = protobuf.around(type, total);
  const items = function* (): Generator<Uint8Array> {
    for (const [at, { item, message }] of measured.entries()) {
      yield prefixes[at] ?? head;
      yield message ?? encode(item);
    }
  };
  const pieces = function* (): Generator<Uint8Array> {
    yield head;
    if (metaField === 1) yield* [metaPrefix, meta];
    yield* items();
    if (metaField === 2) yield* [metaPrefix, meta];
    yield tail;
  };
  const perTurn = Math.ceil((perTurnBytes * measured.length) / total);
  await writeChunks(exchange, pieces(), Math.min(perTurn, piecesPerTurn), protobufType);
}

/** Encodes everything, turn by turn. Undefined when the client has gone meanwhile. */
async function measure(exchange: Exchange, items: Iterable<Encoded>, encode: Encode): Promise<readonly Measured[] | undefined> {
  const measured: Measured[] = [];
  let held = 0;
  let sinceTurn = 0;
  for (const item of items) {
    const message = encode(item);
    held += message.length;
    measured.push({ item, length: message.length, message: held <= heldBytes ? message : undefined });
    sinceTurn += item.json.length;
    if (sinceTurn < perTurnBytes) continue;
    sinceTurn = 0;
    await turn();
    if (exchange.isOver) return undefined;
  }
  return measured;
}
