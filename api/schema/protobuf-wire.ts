/** Bytes that are no protobuf message of the expected shape. */
export class ProtobufError extends Error {
  override readonly name = 'ProtobufError';
}

/** One field as it stands on the wire. */
export interface WireField {
  readonly number: number;
  /** A number for varints, bytes for everything that has a length or a fixed size. */
  readonly value: bigint | Uint8Array;
  readonly isFixed: boolean;
}

/** The fields of a message, in the order sent. Throws ProtobufError where the bytes end early or make no sense. */
export function* wireFields(bytes: Uint8Array): Generator<WireField> {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new ProtobufError('unexpected EOF');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new ProtobufError('proto: integer overflow');
  };
  const take = (count: number): Uint8Array => {
    if (count > bytes.length - at) throw new ProtobufError('unexpected EOF');
    at += count;
    return bytes.subarray(at - count, at);
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const number = Math.floor(tag / 8);
    if (number < 1) throw new ProtobufError(`proto: illegal tag ${number} (wire type ${tag % 8})`);
    switch (tag % 8) {
      case 0:
        yield { number, value: varint(), isFixed: false };
        break;
      case 1:
        yield { number, value: take(8), isFixed: true };
        break;
      case 2:
        yield { number, value: take(Number(varint())), isFixed: false };
        break;
      case 5:
        yield { number, value: take(4), isFixed: true };
        break;
      default:
        throw new ProtobufError(`proto: illegal wireType ${tag % 8}`);
    }
  }
}
