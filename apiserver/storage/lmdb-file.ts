// LMDB reads through a memory map, so a file that ends too early would kill the process with SIGBUS, without a word. This looks at
// the file's two headers before LMDB opens it.
import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs';
import { StoreError } from './contract.ts';

/** Where things stand in a header page, which starts with a page header of 24 bytes. */
const at = { flags: 18, magic: 24, pageSize: 48, lastPage: 144, transaction: 152 };
const metaFlag = 0x08;
const magic = 0xbeefc0de;
const headerBytes = 160;

/**
 * Makes sure that every page which the newest header speaks of lies within the file. A file that is too short is filled up with
 * zeros, so that reading it is safe; the answer is then true, and everything in it must be checked. Throws StoreError 'corrupt' when
 * there is no valid header.
 */
export function secureLength(path: string): boolean {
  let file: number;
  try {
    file = openSync(path, 'r+');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw new StoreError('unavailable', `the database ${path} cannot be opened`, { cause: error });
  }
  try {
    const { size } = fstatSync(file);
    if (size === 0) return false;
    const first = readHeader(file, 0);
    const second = readHeader(file, first?.pageSize ?? 4_096);
    const newest = [first, second].filter((one) => one !== undefined).toSorted((a, b) => b.transaction - a.transaction)[0];
    if (newest === undefined) throw new StoreError('corrupt', `the database ${path} is damaged: it has no valid header`);
    const wantedBytes = (newest.lastPage + 1) * newest.pageSize;
    if (size >= wantedBytes) return false;
    ftruncateSync(file, wantedBytes);
    return true;
  } finally {
    closeSync(file);
  }
}

interface Header {
  readonly pageSize: number;
  readonly lastPage: number;
  readonly transaction: number;
}

function readHeader(file: number, position: number): Header | undefined {
  const page = Buffer.alloc(headerBytes);
  if (readSync(file, page, 0, headerBytes, position) < headerBytes) return undefined;
  if (page.readUInt16LE(at.flags) !== metaFlag || page.readUInt32LE(at.magic) !== magic) return undefined;
  const pageSize = page.readUInt32LE(at.pageSize);
  if (pageSize < 512 || pageSize > 65_536) return undefined;
  return {
    pageSize,
    lastPage: Number(page.readBigUInt64LE(at.lastPage)),
    transaction: Number(page.readBigUInt64LE(at.transaction)),
  };
}
