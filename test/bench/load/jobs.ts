// What a load process can be told to do, and what it answers.
import type { Peer } from './connection.ts';

/** Connections that each send the next request as soon as the last one is answered. */
export interface RequestsJob {
  readonly do: 'create' | 'get' | 'list';
  readonly peer: Peer;
  /** Of the collection; a get adds the names of `pods` pods in turn. */
  readonly path: string;
  readonly connections: number;
  /** Ends after so many requests, or … */
  readonly count: number | undefined;
  /** … after so long. */
  readonly durationMs: number | undefined;
  /** Number of the first pod to create. */
  readonly firstPod: number;
  /** How many pods there are to get. */
  readonly pods: number;
  /** Creates the smallest pods there are, instead of the usual ones. */
  readonly smallest?: boolean;
}

export interface RequestsResult {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Statuses other than 2xx, with how many there were. */
  readonly failures: Readonly<Record<string, number>>;
  /** Bodies together. */
  readonly bytes: number;
}

/** One large answer after another. */
export interface StreamJob {
  readonly do: 'stream';
  readonly peer: Peer;
  readonly path: string;
  /** Of the request; 'application/json' where it is not given. */
  readonly accept?: string;
  readonly count: number;
}

export interface StreamResult {
  readonly firstByteMs: readonly number[];
  readonly totalMs: readonly number[];
  readonly bytes: number;
}

/** Watchers of `watchPath`, and writers who POST `events` pods to `createPath`; ends when every watcher has read every event. */
export interface WatchJob {
  readonly do: 'watch';
  readonly peer: Peer;
  readonly watchPath: string;
  readonly createPath: string;
  readonly watchers: number;
  readonly writers: number;
  readonly events: number;
  readonly firstPod: number;
  /** Whose CPU time counts, from the first event to the last delivery: opening the watches does not. */
  readonly serverPid: number;
}

export interface WatchResult {
  readonly cpuMicros: number;
  readonly deliveries: number;
  readonly seconds: number;
}

export type Job = RequestsJob | StreamJob | WatchJob;
