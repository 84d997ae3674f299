/** What a client did and heard. Times are microseconds of one clock. */
export interface Operation {
  readonly id: number;
  readonly kind: 'create' | 'update' | 'patch' | 'delete' | 'read' | 'list';
  /** Empty for a list. */
  readonly key: string;
  /** What a create, update or patch wrote; no two operations write the same. */
  readonly value?: string;
  readonly startMicros: number;
  readonly endMicros: number;
  /** refused: it certainly had no effect (a conflict, say); unknown: nobody answered, so it may have had one, or will. */
  readonly outcome: 'done' | 'refused' | 'unknown';
  /** Of a write that is done, but for deletions, which do not tell. */
  readonly revision?: number;
  /** What a deletion removed. */
  readonly uid?: string;
  /** What a read found; undefined: there was nothing. */
  readonly found?: Version;
  /** What a list found, by key, and its own revision. */
  readonly all?: Readonly<Record<string, Version>>;
}

export interface Version {
  readonly revision: number;
  readonly value: string;
}

/** What a watch delivered. */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly key: string;
  readonly revision: number;
  /** Of a deletion: what was removed. */
  readonly value: string;
  readonly uid: string;
}

/** A state of a Lease that components lead by, as a watch delivered it. Times are milliseconds of the calendar. */
export interface LeaseVersion {
  readonly name: string;
  readonly revision: number;
  /** Empty: given back. */
  readonly holder: string;
  readonly transitions: number;
  readonly acquiredMs: number;
  readonly renewedMs: number;
  readonly durationSeconds: number;
  /** By the client's clock. */
  readonly heardMs: number;
}

/** A container that ran, as the engine of its host told it. Times are milliseconds of the calendar. */
export interface Run {
  readonly host: string;
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
  readonly container: string;
  /** The engine's. */
  readonly id: string;
  readonly startMs: number;
  /** Undefined: it runs on. */
  readonly endMs: number | undefined;
}

export interface History {
  readonly operations: readonly Operation[];
  readonly events: readonly WatchEvent[];
}

export interface Recorded extends History {
  readonly leases: readonly LeaseVersion[];
}
