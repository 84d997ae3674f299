/** A value that stays JSON: in an object that is only shown, in place of what it would be if it was parsed. */
export class RawJson {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** The bytes of a value that is one. */
  static bytesOf(value: unknown): Uint8Array | undefined {
    return value instanceof RawJson ? value.bytes : undefined;
  }
}
