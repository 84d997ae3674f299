import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StoreError } from './contract.ts';

/**
 * Locks a folder against other processes, and against a second use in this one, until it is disposed or the process ends, however it
 * ends. Node has no file locks of its own; SQLite's are the kernel's, hold across containers and leave nothing stale behind.
 */
export class FolderLock implements Disposable {
  readonly #database: DatabaseSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Throws StoreError 'unavailable' when another process holds the lock, or the folder is not writable. */
  static take(folder: string): FolderLock {
    let database: DatabaseSync | undefined;
    try {
      database = new DatabaseSync(join(folder, 'lock'));
      database.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
      return new FolderLock(database);
    } catch (error) {
      database?.close();
      const isBusy = error instanceof Error && 'errcode' in error && error.errcode === 5;
      const message = isBusy ? `another API server uses the data folder ${folder}` : `the data folder ${folder} cannot be locked`;
      throw new StoreError('unavailable', message, { cause: error });
    }
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}
