import type { StoredValue, StoreEvent } from './contract.ts';

/** A change whose previous value is read on demand, which is rare. */
export class LoggedEvent implements StoreEvent {
  readonly type: 'put' | 'delete';
  readonly key: string;
  readonly revision: number;
  readonly value: Uint8Array | undefined;
  readonly createRevision: number;
  readonly #previousRevision: number;
  readonly #read: (revision: number) => StoredValue | undefined;

  constructor(options: Omit<StoreEvent, 'previous'> & { previousRevision: number; read: (revision: number) => StoredValue | undefined }) {
    this.type = options.type;
    this.key = options.key;
    this.revision = options.revision;
    this.value = options.value;
    this.createRevision = options.createRevision;
    this.#previousRevision = options.previousRevision;
    this.#read = options.read;
  }

  get previous(): StoredValue | undefined {
    return this.#previousRevision === 0 ? undefined : this.#read(this.#previousRevision);
  }
}
