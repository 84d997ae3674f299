import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { openInside, SubPathError } from './sub-path.ts';

/**
 * The text of a file that a container wrote into a volume; undefined: it is not there. Links do not lead out of the volume, and nothing
 * but a file of at most `maxBytes` is read: whoever wrote it may mean ill. Throws an Error that says what is wrong.
 */
export async function readVolumeFile(volumePath: string, path: string, maxBytes: number): Promise<string | undefined> {
  try {
    await using place = await openInside(volumePath, path);
    const found = await place.stat();
    if (!found.isFile()) throw new SubPathError(`${path} is not a file`);
    if (found.size > maxBytes) throw new SubPathError(`${path} is larger than ${maxBytes} bytes`);
    await using file = await open(`/proc/self/fd/${place.fd}`, constants.O_RDONLY | constants.O_NONBLOCK);
    // It may grow while it is read.
    const { buffer, bytesRead } = await file.read(Buffer.alloc(maxBytes + 1), 0, maxBytes + 1, 0);
    if (bytesRead > maxBytes) throw new SubPathError(`${path} is larger than ${maxBytes} bytes`);
    return buffer.toString('utf8', 0, bytesRead);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}
