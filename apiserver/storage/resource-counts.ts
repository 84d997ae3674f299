// What happens to one stored resource, counted by plain additions; metrics read it on scrape.
import { HistogramCell } from '#base/metric-cells.ts';

/** Upstream's buckets of requests to the store. */
const requestBuckets = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];
/** Upstream's buckets of waiting for the cache. */
const waitBuckets = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3];

/** Requests of one sort to the store. */
export class RequestCounts {
  readonly seconds = new HistogramCell(requestBuckets);
  errors = 0;
}

export class ResourceCounts {
  /** Changes received from the store, and those sent to watchers. */
  received = 0;
  dispatched = 0;
  /** How often the resource was read from the store as a whole. */
  initializations = 0;
  /** Initial events sent to new watchers. */
  initEvents = 0;
  /** Watchers that were cut off since they did not read. */
  terminatedWatchers = 0;
  lists = 0;
  /** Objects that lists looked at, and those that they answered. */
  fetched = 0;
  returned = 0;
  /** Reads of the newest state, and those that did not get it. */
  consistentReads = 0;
  consistentFailures = 0;
  /** Bytes of the objects there are. */
  bytes = 0;
  readonly waitSeconds = new HistogramCell(waitBuckets);
  readonly requests = { create: new RequestCounts(), update: new RequestCounts(), delete: new RequestCounts() } as const;
}
