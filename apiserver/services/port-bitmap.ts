// Which node ports are given out, as upstream's API servers keep it in the store: a RangeAllocation, whose data is a big-endian number
// with a bit for each port (pkg/registry/core/service/allocator/bitmap.go).

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Ports of a range, some of them taken. Ports outside are never taken. */
export class PortBitmap {
  readonly range: PortRange;
  /** Bit 0 of byte 0 is the first port. */
  readonly #bits: Uint8Array;

  constructor(range: PortRange, bits?: Uint8Array) {
    this.range = range;
    this.#bits = new Uint8Array(Math.ceil((range.last - range.first + 1) / 8));
    if (bits !== undefined) this.#bits.set(bits.subarray(0, this.#bits.length));
  }

  /** Undefined for bytes that say nothing of the kind, such as those of another encoding. */
  static decode(json: Uint8Array): PortBitmap | undefined {
    try {
      const { range, data = '' } = JSON.parse(Buffer.from(json).toString()) as { range: string; data?: string };
      const [first = Number.NaN, last = Number.NaN] = range.split('-').map(Number);
      const isRange = Number.isInteger(first) && Number.isInteger(last) && first >= 0 && first <= last && last <= 65_535;
      return isRange ? new PortBitmap({ first, last }, Buffer.from(data, 'base64').reverse()) : undefined;
    } catch {
      return undefined;
    }
  }

  /** The stored form. */
  encode(): Uint8Array {
    const used = this.#bits.findLastIndex((byte) => byte !== 0) + 1;
    const data = Buffer.from(this.#bits.subarray(0, used)).reverse().toString('base64');
    const { first, last } = this.range;
    return Buffer.from(JSON.stringify({ kind: 'RangeAllocation', apiVersion: 'v1', metadata: {}, range: `${first}-${last}`, data }));
  }

  copy(): PortBitmap {
    return new PortBitmap(this.range, this.#bits);
  }

  holds(port: number): boolean {
    return port >= this.range.first && port <= this.range.last;
  }

  has(port: number): boolean {
    const at = port - this.range.first;
    return this.holds(port) && ((this.#bits[at >> 3] ?? 0) & (1 << (at & 7))) !== 0;
  }

  /** False where it is taken already, or no port of the range. */
  take(port: number): boolean {
    if (!this.holds(port) || this.has(port)) return false;
    const at = port - this.range.first;
    this.#bits[at >> 3] = (this.#bits[at >> 3] ?? 0) | (1 << (at & 7));
    return true;
  }

  /** False where it was not taken. */
  free(port: number): boolean {
    if (!this.has(port)) return false;
    const at = port - this.range.first;
    this.#bits[at >> 3] = (this.#bits[at >> 3] ?? 0) & ~(1 << (at & 7));
    return true;
  }

  *ports(): Generator<number> {
    for (let port = this.range.first; port <= this.range.last; port++) if (this.has(port)) yield port;
  }

  equals(other: PortBitmap): boolean {
    return this.encode().toString() === other.encode().toString();
  }
}
