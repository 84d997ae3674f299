// A longer cable: `delay.ts MS` passes frames between the two TAP devices that it was given as descriptors 3 and 4, each MS milliseconds after it
// came, in order. This kernel's own way (netem) is no part of many kernels.
import { read, writeSync } from 'node:fs';

const delayMs = Number(process.argv[2]);
/** Above what a device hands over at once. */
const frameBytes = 70_000;

function pass(from: number, to: number): void {
  const space = Buffer.allocUnsafe(frameBytes);
  read(from, space, 0, frameBytes, null, (error, length) => {
    if (error !== null) process.exit(0); // The device is gone: the cable was healed.
    const frame = Buffer.from(space.subarray(0, length));
    setTimeout(() => {
      try {
        writeSync(to, frame);
      } catch {
        // As on any cable: a frame that the other end does not take is lost.
      }
    }, delayMs);
    pass(from, to);
  });
}

pass(3, 4);
pass(4, 3);
process.stdout.write('ready\n');
