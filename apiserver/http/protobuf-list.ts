// Lists in protobuf. The length of everything stands before everything, so all items are encoded before the first byte goes out. What
// would take too much memory is only measured, and encoded again when its turn comes.
import type { KindDefinition } from '#api/kind.ts';
import { partialObjectMetadata } from '#api/schema/protobuf-encoder.ts';
import type { Encoded, ListAnswer } from '../registry/contract.ts';
import type { Exchange } from './exchange.ts';
import { takesLongToShow } from '../large/many-values.ts';
import { shownMetadata, shownObject } from '../storage/shown-object.ts';
import { turn } from '../work-slice.ts';
import { listMeta, type Piece, writeChunks } from './list-writer.ts';
import { protobufType, type Wanted } from './negotiate.ts';

/** Encoded items that all answers of this process may hold together. */
const mostHeldBytes = 128 * 1024 * 1024;
/** JSON that is read and encoded before other requests get their turn: a few milliseconds. */
const perTurnBytes = 128 * 1024;
const piecesPerTurn = 500;
const listMetaDefinition = 'io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta';

type Encode = (item: Encoded) => Piece;

const nothing = new Uint8Array();

/** The items of one answer: encoded with their tags as far as there is room for them. */
class Elements implements Disposable {
  static #heldByAll = 0;
  /** Of all items, held or not. */
  bytes = 0;
  readonly all: (Uint8Array | Encoded)[] = [];
  #held = 0;

  add(item: Encoded, encoded: Uint8Array): void {
    this.bytes += encoded.length;
    const isHeld = Elements.#heldByAll + encoded.length <= mostHeldBytes;
    this.all.push(isHeld ? encoded : item);
    if (!isHeld) return;
    this.#held += encoded.length;
    Elements.#heldByAll += encoded.length;
  }

  [Symbol.dispose](): void {
    Elements.#heldByAll -= this.#held;
    this.#held = 0;
  }
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
    ? (item) => protobuf.element(itemField, partialObjectMetadata, { metadata: shownMetadata(item) })
    : (item) => (takesLongToShow(item.json) ? elsewhere(item) : protobuf.element(itemField, kind.schema, shownObject(item)));
  using elements = new Elements();
  await fill(elements, exchange, answer.items, encode);
  if (exchange.isOver) return;
  const { all, bytes } = elements;
  const meta = protobuf.element(metaField, listMetaDefinition, listMeta(answer));
  const type = isPartial
    ? { group: 'meta.k8s.io', version: wanted.formVersion, kind: 'PartialObjectMetadataList' }
    : { group: kind.group, version: kind.version, kind: `${kind.kind}List` };
  const { head, tail } = protobuf.around(type, bytes + meta.length);
  const pieces = function* (): Generator<Piece> {
    yield head;
    if (metaField === 1) yield meta;
    for (const element of all) yield element instanceof Uint8Array ? element : encode(element);
    if (metaField === 2) yield meta;
    yield tail;
  };
  const perTurn = Math.ceil((perTurnBytes * all.length) / bytes);
  await writeChunks(exchange, pieces(), Math.min(perTurn || 1, piecesPerTurn), protobufType);
}

/** Encodes everything, turn by turn; stops when the client has gone meanwhile. */
async function fill(elements: Elements, exchange: Exchange, items: Iterable<Encoded>, encode: Encode): Promise<void> {
  let sinceTurn = 0;
  for (const item of items) {
    const made = encode(item);
    elements.add(item, made instanceof Uint8Array ? made : await made);
    sinceTurn += item.json.length;
    if (sinceTurn < perTurnBytes) continue;
    sinceTurn = 0;
    await turn();
    if (exchange.isOver) return;
  }
}
