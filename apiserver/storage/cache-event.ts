import type { WatchFrame } from '../registry/contract.ts';
import type { CachedObject, ChangeType } from './cached-object.ts';
import type { ObjectSelector } from './object-selector.ts';
import type { ServedForm } from './served-form.ts';

interface CacheEventOptions {
  readonly revision: number;
  /** Undefined: deleted. */
  readonly current: CachedObject | undefined;
  readonly previous: CachedObject | undefined;
  /** When it was seen; monotonic. */
  readonly atMs: number;
}

/** One change of one object, with the frames that watchers get for it: each is made at most once. */
export class CacheEvent {
  readonly revision: number;
  readonly current: CachedObject | undefined;
  readonly previous: CachedObject | undefined;
  readonly atMs: number;
  #frames: Partial<Record<ChangeType, WatchFrame>> | undefined;
  #otherForms: Map<ServedForm, CacheEvent> | undefined;

  constructor({ revision, current, previous, atMs }: CacheEventOptions) {
    this.revision = revision;
    this.current = current;
    this.previous = previous;
    this.atMs = atMs;
  }

  /** Bytes that this event alone may keep alive. */
  get sizeBytes(): number {
    return this.previous?.sizeBytes ?? 0;
  }

  /**
   * The frame for a watcher with this selector; undefined when the change does not concern it. A DELETED frame shows the last content
   * that the watcher knew, with the revision of the deletion or of the change that left the selector.
   */
  frameFor(selector: ObjectSelector): WatchFrame | undefined {
    const { current, previous } = this;
    const wasIn = previous !== undefined && selector.matches(previous);
    if (current !== undefined && selector.matches(current)) return this.#frame(wasIn ? 'MODIFIED' : 'ADDED', current);
    return wasIn ? this.#frame('DELETED', previous) : undefined;
  }

  /** The same change as another kind serves it. */
  as(form: ServedForm): CacheEvent {
    const stored = this.current ?? this.previous;
    if (stored === undefined || stored.form === form) return this;
    let other = this.#otherForms?.get(form);
    if (other === undefined) {
      const { revision, current, previous, atMs } = this;
      other = new CacheEvent({ revision, current: current?.as(form), previous: previous?.as(form), atMs });
      (this.#otherForms ??= new Map()).set(form, other);
    }
    return other;
  }

  #frame(type: ChangeType, object: CachedObject): WatchFrame {
    if (object.isOwnFrame(type, this.revision)) return object.frame(type, this.revision);
    const frames = (this.#frames ??= {});
    return (frames[type] ??= object.frame(type, this.revision));
  }
}
