// Watch streams. A frame's line is one buffer for all watchers. A client that does not read is cut off: while its connection is
// full nothing is taken from the registry, whose bounded queue then ends the watch.
import type { KindDefinition } from '#api/kind.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { ApiError, internalError } from '#api/meta/status.ts';
import type { WatchFrame } from '../registry/contract.ts';
import type { Exchange } from './exchange.ts';
import type { Wanted } from './negotiate.ts';
import type { WatchCounter } from './watch-metrics.ts';
import { joined, parseIncludeObject, partialJson, type TableDeps, TableMaker } from './table.ts';

/** Where the frames of a watch go. */
export interface FrameSink {
  /** Takes one batch, at least one frame. False when the other side does not read fast enough: wait for `drained`. */
  write(frames: readonly Uint8Array[]): boolean;
  drained(signal: AbortSignal): Promise<void>;
  readonly isOpen: boolean;
  end(): void;
  cut(): void;
}

/** Gives the bytes that a watcher is sent for a frame; a promise where another process makes them. */
export type FrameRenderer = (frame: WatchFrame) => Uint8Array | Promise<Uint8Array>;

/** How frames look in the form that the client wants. Plain JSON shares the frame's own line. */
export function frameRenderer(exchange: Exchange, wanted: Wanted, kind: KindDefinition, deps: TableDeps): FrameRenderer {
  const json = formRenderer(exchange, wanted, kind, deps);
  if (json === undefined) return (frame) => frame.line;
  return (frame) => (frame.type === 'ERROR' ? frame.line : joined(`{"type":"${frame.type}","object":`, json(frame), '}\n'));
}

function formRenderer(
  exchange: Exchange,
  wanted: Wanted,
  kind: KindDefinition,
  deps: TableDeps,
): ((frame: WatchFrame) => Uint8Array) | undefined {
  if (wanted.form === 'object') return undefined;
  if (wanted.form !== 'table') return ({ encoded }) => partialJson(encoded, wanted.formVersion);
  const maker = new TableMaker(kind, parseIncludeObject(exchange.query), wanted.formVersion, deps);
  let isFirst = true;
  return ({ type, encoded }) => {
    const table = type === 'BOOKMARK' ? maker.bookmark(encoded, isFirst) : maker.single(encoded, isFirst);
    isFirst = false;
    return table;
  };
}

/** Sends frames until the registry ends the watch, the time is up (`signal`) or the client is gone. */
export async function pump(
  frames: AsyncIterable<readonly WatchFrame[]>,
  sink: FrameSink,
  { render, counter }: { readonly render: FrameRenderer; readonly counter: WatchCounter },
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const batch of frames) {
      const lines: Uint8Array[] = [];
      for (const frame of batch) {
        const made = render(frame);
        const line = made instanceof Uint8Array ? made : await made;
        counter.frame(frame, line);
        lines.push(line);
      }
      const flows = sink.write(lines);
      if (!flows) await sink.drained(signal);
      if (!sink.isOpen) return;
    }
  } catch (error) {
    if (signal.aborted) return;
    const frame = await render(errorFrame(error));
    if (sink.isOpen) sink.write([frame]);
  } finally {
    if (sink.isOpen) sink.end();
  }
}

function errorFrame(error: unknown): WatchFrame {
  const status = (error instanceof ApiError ? error : internalError(error)).toStatus();
  const json = Buffer.from(JSON.stringify(status));
  return {
    type: 'ERROR',
    encoded: { json, resourceVersion: '', object: () => status as unknown as KubeObject },
    line: Buffer.from(`{"type":"ERROR","object":${json.toString()}}\n`),
  };
}
