// A reader for DER, as far as certificate requests need it. Walks siblings in a loop and goes only as deep as its caller asks.

/** One element: where it begins and ends in its buffer, header included, and what is in it. */
export interface DerElement {
  /** The whole identifier byte: 0x30 is a sequence, 0xa0 the first context-specific one. */
  readonly tag: number;
  readonly raw: Buffer;
  readonly content: Buffer;
}

export const derTags = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectId: 0x06,
  sequence: 0x30,
  set: 0x31,
} as const;

/** What is wrong with bytes that should be DER; its text is Go's where Go has one. */
export class DerError extends Error {
  override readonly name = 'DerError';
}

/** All elements that follow each other in a buffer. Throws DerError. */
export function readElements(bytes: Buffer): DerElement[] {
  const elements: DerElement[] = [];
  for (let at = 0; at < bytes.length; ) {
    const element = readElement(bytes, at);
    elements.push(element);
    at += element.raw.length;
  }
  return elements;
}

/** The elements inside a buffer that is one element of this tag and nothing else. Throws DerError. */
export function readInside(bytes: Buffer, tag: number): DerElement[] {
  const element = readElement(bytes, 0);
  if (element.tag !== tag) throw new DerError("asn1: structure error: tags don't match");
  if (element.raw.length !== bytes.length) throw new DerError('asn1: syntax error: trailing data');
  return readElements(element.content);
}

/** `1.2.840.10045.4.3.2`. */
export function objectIdText({ content }: DerElement): string {
  const numbers: number[] = [];
  let value = 0;
  for (const byte of content) {
    value = value * 128 + (byte & 0x7f);
    if ((byte & 0x80) !== 0) continue;
    if (numbers.length > 0) numbers.push(value);
    else numbers.push(Math.min(Math.floor(value / 40), 2), value - Math.min(Math.floor(value / 40), 2) * 40);
    value = 0;
  }
  return numbers.join('.');
}

function readElement(bytes: Buffer, at: number): DerElement {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) throw new DerError('asn1: syntax error: data truncated');
  if ((tag & 0x1f) === 0x1f) throw new DerError('asn1: syntax error: invalid base 128 integer');
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  // Indefinite lengths are not DER, and nothing here is longer than four bytes can say.
  if (first === 0x80 || lengthBytes > 4) throw new DerError('asn1: syntax error: indefinite length found (not DER)');
  let length = first < 0x80 ? first : 0;
  for (let index = 0; index < lengthBytes; index++) length = length * 256 + (bytes[at + 2 + index] ?? 0);
  const start = at + 2 + lengthBytes;
  if (start + length > bytes.length) throw new DerError('asn1: syntax error: data truncated');
  return { tag, raw: bytes.subarray(at, start + length), content: bytes.subarray(start, start + length) };
}
