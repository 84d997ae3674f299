/**
 * Protocol buffers, written from their end to their beginning: what a length counts is there before the length is, so that nothing
 * is measured, moved or copied. One buffer serves message after message.
 */
export class ProtobufSink {
  #buffer = Buffer.allocUnsafeSlow(16 * 1_024);
  /** Where what was written begins. */
  #at = this.#buffer.length;

  /** Bytes written since the last `take`. A mark to count from. */
  get written(): number {
    return this.#buffer.length - this.#at;
  }

  /** What was written, as a buffer of its own. */
  take(): Buffer<ArrayBuffer> {
    const taken = Buffer.allocUnsafeSlow(this.written);
    this.#buffer.copy(taken, 0, this.#at);
    this.#at = this.#buffer.length;
    // One huge object should not keep its memory for ever.
    if (this.#buffer.length > keptBytes) {
      this.#buffer = Buffer.allocUnsafeSlow(keptBytes);
      this.#at = keptBytes;
    }
    return taken;
  }

  /** Forgets what was written, after a failure. */
  clear(): void {
    this.#at = this.#buffer.length;
  }

  /** A natural number below 2^53. */
  varint(value: number): void {
    if (this.#at < 10) this.#grow(10);
    const buffer = this.#buffer;
    if (value < 0x80) {
      buffer[--this.#at] = value;
      return;
    }
    let size = 2;
    for (let left = value / 0x4000; left >= 1; left /= 0x80) size++;
    let at = (this.#at -= size);
    let rest = value;
    while (rest >= 0x80) {
      buffer[at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    buffer[at] = rest;
  }

  /** A whole number; negative ones take ten bytes, as all of Go's int32 and int64 do. */
  integer(value: number): void {
    if (value >= 0) return this.varint(value);
    if (this.#at < 10) this.#grow(10);
    let rest = BigInt.asUintN(64, BigInt(value));
    let at = (this.#at -= 10);
    for (let count = 0; count < 9; count++) {
      this.#buffer[at++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#buffer[at] = Number(rest);
  }

  double(value: number): void {
    if (this.#at < 8) this.#grow(8);
    this.#buffer.writeDoubleLE(value, (this.#at -= 8));
  }

  /** A text in UTF-8 with its length. */
  text(text: string): void {
    const { length } = text;
    if (length < shortText && this.#ascii(text, length)) return;
    const size = Buffer.byteLength(text);
    if (this.#at < size) this.#grow(size);
    this.#buffer.write(text, (this.#at -= size));
    this.varint(size);
  }

  /** Bytes with their length. */
  bytes(bytes: Uint8Array): void {
    if (this.#at < bytes.length) this.#grow(bytes.length);
    this.#buffer.set(bytes, (this.#at -= bytes.length));
    this.varint(bytes.length);
  }

  /** The length of what was written since the mark. */
  length(mark: number): void {
    this.varint(this.written - mark);
  }

  /** Most texts are short and plain: then a loop beats the call into the runtime. False, with nothing written, for others. */
  #ascii(text: string, length: number): boolean {
    if (this.#at < shortText + 1) this.#grow(shortText + 1);
    const buffer = this.#buffer;
    const start = this.#at - length;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code >= 0x80) return false;
      buffer[start + index] = code;
    }
    buffer[start - 1] = length;
    this.#at = start - 1;
    return true;
  }

  #grow(bytes: number): void {
    const { written } = this;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, written + bytes));
    this.#buffer.copy(larger, larger.length - written, this.#at);
    this.#buffer = larger;
    this.#at = larger.length - written;
  }
}

const keptBytes = 1_024 * 1_024;
/** Below this a length fits one byte. */
const shortText = 0x40;
