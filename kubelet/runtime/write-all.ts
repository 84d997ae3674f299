import type { Writable } from 'node:stream';

/** Writes and waits while the receiver is full. Returns false when it is closed. */
export async function writeAll(target: Writable, bytes: Uint8Array): Promise<boolean> {
  if (target.destroyed || target.writableEnded) return false;
  if (target.write(bytes)) return true;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      for (const event of ['drain', 'close', 'error']) target.removeListener(event, done);
      resolve();
    };
    for (const event of ['drain', 'close', 'error']) target.on(event, done);
  });
  return !target.destroyed;
}
