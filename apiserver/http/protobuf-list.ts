// Lists in protobuf. The length of everything stands before everything, so all items are encoded before the first byte goes out. What
// would take too much memory is only measured, and encoded again when its turn comes.
import type { KindDefinition } from '#api/kind.ts';
import { partialObjectMetadata } from '#api/schema/protobuf-encoder.ts';
import type { Encoded, ListAnswer } from '../registry/contract.ts';
import type { Exchange } from './exchange.ts';
import { hasManyValues } from '../large/many-values.ts';
import { turn } from '../work-slice.ts';
import { listMeta, type Piece, writeChunks } from './list-writer.ts';
import { protobufType, type Wanted } from './negotiate.ts';

/** Encoded items that one answer may hold. */
const heldBytes = 32 * 1024 * 1024;
/** JSON that is read and encoded before other requests get their turn: a few milliseconds. */
const perTurnBytes = 128 * 1024;
const piecesPerTurn = 500;
const listMetaDefinition = 'io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta';

type Encode = (item: Encoded) => Piece;

const nothing = new Uint8Array();

/** The items with their tags, as far as they are held; of the others only how long they are together with these. */
interface Measured {
  readonly elements: readonly (Uint8Array | Encoded)[];
  readonly bytes: number;
}

export async function sendProtobufList(exchange: Exchange, wanted: Wanted, kind: KindDefinition, answer: ListAnswer): Promise<void> {
  const { protobuf } = exchange;
  const isPartial = wanted.form !== 'object';
  // The old version of partial lists has its two fields the other way round.
  const [metaField, itemField] = isPartial && wanted.formVersion === 'v1beta1' ? [2, 1] : [1, 2];
  const elsewhere = async ({ json }: Encoded): Promise<Uint8Array> => {
    const job = { do: 'render', json, as: 'protobuf', item: { field: itemField, schema: kind.schema } } as const;
    return (await exchange.largeWork.do(job, exchange.signal)).bytes ?? nothing;
  };
  const encode: Encode = isPartial
    ? (item) => protobuf.element(itemField, partialObjectMetadata, { metadata: item.object().metadata })
    : (item) => (hasManyValues(item.json) ? elsewhere(item) : protobuf.element(itemField, kind.schema, item.object()));
  const measured = await measure(exchange, answer.items, encode);
  if (measured === undefined) return;
  const { elements, bytes } = measured;
  const meta = protobuf.element(metaField, listMetaDefinition, listMeta(answer));
  const type = isPartial
    ? { group: 'meta.k8s.io', version: wanted.formVersion, kind: 'PartialObjectMetadataList' }
    : { group: kind.group, version: kind.version, kind: `${kind.kind}List` };
  const { head, tail } = protobuf.around(type, bytes + meta.length);
  const pieces = function* (): Generator<Piece> {
    yield head;
    if (metaField === 1) yield meta;
    for (const element of elements) yield element instanceof Uint8Array ? element : encode(element);
    if (metaField === 2) yield meta;
    yield tail;
  };
  const perTurn = Math.ceil((perTurnBytes * elements.length) / bytes);
  await writeChunks(exchange, pieces(), Math.min(perTurn || 1, piecesPerTurn), protobufType);
}

/** Encodes everything, turn by turn. Undefined when the client has gone meanwhile. */
async function measure(exchange: Exchange, items: Iterable<Encoded>, encode: Encode): Promise<Measured | undefined> {
  const elements: (Uint8Array | Encoded)[] = [];
  let bytes = 0;
  let sinceTurn = 0;
  for (const item of items) {
    const made = encode(item);
    const element = made instanceof Uint8Array ? made : await made;
    bytes += element.length;
    elements.push(bytes <= heldBytes ? element : item);
    sinceTurn += item.json.length;
    if (sinceTurn < perTurnBytes) continue;
    sinceTurn = 0;
    await turn();
    if (exchange.isOver) return undefined;
  }
  return { elements, bytes };
}
