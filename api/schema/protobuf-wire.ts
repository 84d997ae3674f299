/** Bytes that are no protobuf message of the expected shape, or an object that cannot be one. */
export class ProtobufError extends Error {
  override readonly name = 'ProtobufError';
}

/** What stands before every message in an envelope: `k8s` and a zero. */
export const magic = Buffer.from([0x6b, 0x38, 0x73, 0x00]);

/** Reads the fields of one message, in the order sent. Throws ProtobufError where the bytes end early or make no sense. */
export class ProtobufCursor {
  readonly #bytes: Buffer;
  #at: number;
  readonly #end: number;
  /** The field that `next` has found. */
  number = 0;
  wireType = 0;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = at;
    this.#end = end;
  }

  /** Goes to the next field, whose value must then be read or skipped. False at the end. */
  next(): boolean {
    if (this.#at >= this.#end) return false;
    const tag = this.#natural();
    this.wireType = tag % 8;
    this.number = Math.floor(tag / 8);
    if (this.wireType === 4) throw new ProtobufError('proto: wiretype end group for non-group');
    if (this.number < 1 || this.number > maxFieldNumber) {
      throw new ProtobufError(`proto: illegal tag ${this.number} (wire type ${tag})`);
    }
    return true;
  }

  /** True for a message, a text, bytes or a packed list. */
  get isDelimited(): boolean {
    return this.wireType === 2;
  }

  /** True where values follow one another without an end: packed lists. */
  get hasMore(): boolean {
    return this.#at < this.#end;
  }

  /** The message that the field holds. */
  message(): ProtobufCursor {
    const end = this.#delimited();
    const inner = new ProtobufCursor(this.#bytes, this.#at, end);
    this.#at = end;
    return inner;
  }

  /** Bytes; a view. */
  bytes(): Buffer {
    const end = this.#delimited();
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }

  text(): string {
    const end = this.#delimited();
    const text = this.#bytes.toString('utf8', this.#at, end);
    this.#at = end;
    return text;
  }

  varint(): bigint {
    this.#expect(0);
    return this.packedVarint();
  }

  /** A number of a packed list. */
  packedVarint(): bigint {
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      low += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return BigInt(low);
    }
    let value = BigInt(low);
    for (let shift = 28n; shift < 64n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new ProtobufError('proto: integer overflow');
  }

  double(): number {
    this.#expect(1);
    this.#need(8);
    const value = this.#bytes.readDoubleLE(this.#at);
    this.#at += 8;
    return value;
  }

  /** Passes over the value, whatever it is. Groups may lie in groups. */
  skip(): void {
    let { wireType } = this;
    for (let groups = 0; ; ) {
      if (wireType === 0) this.packedVarint();
      else if (wireType === 1) this.#pass(8);
      else if (wireType === 2) this.#pass(this.#natural());
      else if (wireType === 5) this.#pass(4);
      else if (wireType === 3) groups++;
      else if (wireType === 4) groups--;
      else throw new ProtobufError(`proto: illegal wireType ${wireType}`);
      if (groups < 0) throw new ProtobufError('proto: unexpected end of group');
      if (groups === 0) return;
      wireType = this.#natural() % 8;
    }
  }

  #delimited(): number {
    this.#expect(2);
    const length = this.#natural();
    this.#need(length);
    return this.#at + length;
  }

  #expect(wireType: number): void {
    if (this.wireType !== wireType) throw new ProtobufError(`proto: wrong wireType = ${this.wireType} for field ${this.number}`);
  }

  #pass(count: number): void {
    this.#need(count);
    this.#at += count;
  }

  #need(count: number): void {
    if (count > this.#end - this.#at) throw new ProtobufError('unexpected EOF');
  }

  #byte(): number {
    if (this.#at >= this.#end) throw new ProtobufError('unexpected EOF');
    return this.#bytes[this.#at++] ?? 0;
  }

  /** A varint that counts something: what a double cannot hold is too large for any bytes. */
  #natural(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new ProtobufError('proto: integer overflow');
  }
}

const maxFieldNumber = 2 ** 29 - 1;
