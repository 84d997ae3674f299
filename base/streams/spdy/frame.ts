// Frames of SPDY/3.1. The parser holds at most one control frame; data goes on piece by piece as it comes.

export type Frame =
  /** A piece of a data frame; `fin` comes with the last one. */
  | { readonly type: 'data'; readonly streamId: number; readonly fin: boolean; readonly payload: Buffer }
  | { readonly type: 'syn-stream'; readonly streamId: number; readonly fin: boolean; readonly block: Buffer }
  | { readonly type: 'syn-reply'; readonly streamId: number; readonly fin: boolean; readonly block: Buffer }
  | { readonly type: 'headers'; readonly streamId: number; readonly fin: boolean; readonly block: Buffer }
  | { readonly type: 'reset'; readonly streamId: number; readonly status: number }
  /** The initial window of streams, where the settings name it. */
  | { readonly type: 'settings'; readonly windowBytes: number | undefined }
  | { readonly type: 'ping'; readonly id: number }
  | { readonly type: 'goaway'; readonly lastStreamId: number }
  /** Stream 0 is the whole session. */
  | { readonly type: 'window'; readonly streamId: number; readonly delta: number };

/** Why a stream is reset (RST_STREAM). */
export const resetStatus = { protocolError: 1, invalidStream: 2, refused: 3, cancel: 5, internal: 6, flowControl: 7 } as const;

/** The peer does not speak SPDY/3.1, or oversteps a limit: the connection cannot go on. */
export class SpdyError extends Error {
  override readonly name = 'SpdyError';
}

const maxControlBytes = 64 * 1024;
const types = { synStream: 1, synReply: 2, reset: 3, settings: 4, ping: 6, goaway: 7, headers: 8, window: 9 } as const;
const finFlag = 1;
const initialWindowSetting = 7;

/** Cuts a byte stream into frames. */
export class FrameParser {
  #held: Buffer = Buffer.alloc(0);
  /** The data frame that is under way. */
  #data: { streamId: number; fin: boolean; leftBytes: number } | undefined;

  /** Takes the next bytes and gives the frames that are complete with them. Throws SpdyError. */
  *push(chunk: Buffer): Generator<Frame> {
    let rest = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    for (;;) {
      if (this.#data !== undefined) {
        const { streamId, fin, leftBytes } = this.#data;
        const payload = rest.subarray(0, leftBytes);
        rest = rest.subarray(payload.length);
        this.#data = payload.length < leftBytes ? { streamId, fin, leftBytes: leftBytes - payload.length } : undefined;
        const isLast = this.#data === undefined;
        if (payload.length > 0 || isLast) yield { type: 'data', streamId, fin: fin && isLast, payload };
        if (!isLast) break;
      }
      if (rest.length < 8) break;
      const length = rest.readUIntBE(5, 3);
      if ((rest[0] as number) < 0x80) {
        this.#data = { streamId: rest.readUInt32BE(0), fin: ((rest[4] as number) & finFlag) !== 0, leftBytes: length };
        rest = rest.subarray(8);
        continue;
      }
      if (length > maxControlBytes) throw new SpdyError(`a control frame of ${length} bytes`);
      if (rest.length < 8 + length) break;
      const frame = parseControl(rest.readUInt16BE(0) & 0x7fff, rest.readUInt16BE(2), rest[4] as number, rest.subarray(8, 8 + length));
      rest = rest.subarray(8 + length);
      if (frame !== undefined) yield frame;
    }
    // A copy, so that a few bytes do not keep a whole chunk.
    this.#held = Buffer.from(rest);
  }
}

/** Undefined for types that are to be ignored. */
function parseControl(version: number, type: number, flags: number, body: Buffer): Frame | undefined {
  if (version !== 3) throw new SpdyError(`SPDY version ${version}`);
  const need = (bytes: number): void => {
    if (body.length < bytes) throw new SpdyError(`a control frame of type ${type} with ${body.length} bytes`);
  };
  const idAt = (at: number): number => body.readUInt32BE(at) & 0x7fffffff;
  const fin = (flags & finFlag) !== 0;
  switch (type) {
    case types.synStream:
      need(10);
      return { type: 'syn-stream', streamId: idAt(0), fin, block: body.subarray(10) };
    case types.synReply:
      need(4);
      return { type: 'syn-reply', streamId: idAt(0), fin, block: body.subarray(4) };
    case types.headers:
      need(4);
      return { type: 'headers', streamId: idAt(0), fin, block: body.subarray(4) };
    case types.reset:
      need(8);
      return { type: 'reset', streamId: idAt(0), status: body.readUInt32BE(4) };
    case types.settings:
      need(4);
      return { type: 'settings', windowBytes: windowSetting(body) };
    case types.ping:
      need(4);
      return { type: 'ping', id: body.readUInt32BE(0) };
    case types.goaway:
      need(4);
      return { type: 'goaway', lastStreamId: idAt(0) };
    case types.window:
      need(8);
      return { type: 'window', streamId: idAt(0), delta: body.readUInt32BE(4) & 0x7fffffff };
    default:
      return undefined;
  }
}

function windowSetting(body: Buffer): number | undefined {
  const count = body.readUInt32BE(0);
  if (count > (body.length - 4) / 8) throw new SpdyError(`${count} settings in ${body.length} bytes`);
  let found: number | undefined;
  for (let at = 4; at < 4 + count * 8; at += 8) {
    if (body.readUIntBE(at + 1, 3) === initialWindowSetting) found = body.readUInt32BE(at + 4) & 0x7fffffff;
  }
  return found;
}

/** The bytes of a frame. Data longer than a frame can be must be split by the caller. */
export function encodeFrame(frame: Frame): Buffer {
  switch (frame.type) {
    case 'data': {
      const head = Buffer.alloc(8);
      head.writeUInt32BE(frame.streamId, 0);
      head[4] = frame.fin ? finFlag : 0;
      head.writeUIntBE(frame.payload.length, 5, 3);
      return Buffer.concat([head, frame.payload]);
    }
    case 'syn-stream':
      return control(types.synStream, frame.fin, Buffer.concat([words(frame.streamId, 0), Buffer.alloc(2), frame.block]));
    case 'syn-reply':
      return control(types.synReply, frame.fin, Buffer.concat([words(frame.streamId), frame.block]));
    case 'headers':
      return control(types.headers, frame.fin, Buffer.concat([words(frame.streamId), frame.block]));
    case 'reset':
      return control(types.reset, false, words(frame.streamId, frame.status));
    case 'settings':
      return control(types.settings, false, frame.windowBytes === undefined ? words(0) : words(1, initialWindowSetting, frame.windowBytes));
    case 'ping':
      return control(types.ping, false, words(frame.id));
    case 'goaway':
      return control(types.goaway, false, words(frame.lastStreamId, 0));
    case 'window':
      return control(types.window, false, words(frame.streamId, frame.delta));
  }
}

function control(type: number, fin: boolean, body: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(0x8003, 0);
  head.writeUInt16BE(type, 2);
  head[4] = fin ? finFlag : 0;
  head.writeUIntBE(body.length, 5, 3);
  return Buffer.concat([head, body]);
}

function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [at, value] of values.entries()) bytes.writeUInt32BE(value, at * 4);
  return bytes;
}
