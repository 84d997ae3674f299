// Sub-resources that are acts or streams rather than parts of a stored object. Those that are parts (status, scale,
// ephemeralcontainers, resize) go through the registry like the object itself.
import type { KindDefinition } from '#api/kind.ts';
import type { Exchange } from '../http/exchange.ts';
import type { VerbDeps } from '../http/verbs/verb.ts';

/** Serves one sub-resource of one kind. */
export interface SubresourceHandler {
  /** The verbs it answers (create, get, update, patch, delete), or `*` for all methods. */
  readonly verbs: readonly string[];
  /** True where the path may go on behind it, as in `pods/x/proxy/index.html`. */
  readonly takesPath?: boolean;
  serve(exchange: Exchange, kind: KindDefinition, deps: VerbDeps): Promise<void>;
}

/**
 * All of them by `plural/subresource` (with the group behind the plural where there is one: `plural.group/subresource`). Kinds that
 * are acts themselves and never stored, such as bindings, stand here with nothing behind the slash.
 */
export class SubresourceTable {
  readonly #handlers: ReadonlyMap<string, SubresourceHandler>;
  readonly #hidden: ReadonlySet<string>;

  /** @param hidden declared by their kinds but not served, and so not listed either. */
  constructor(handlers: Readonly<Record<string, SubresourceHandler>>, hidden: readonly string[] = []) {
    this.#handlers = new Map(Object.entries(handlers));
    this.#hidden = new Set(hidden);
  }

  find(kind: KindDefinition, subresource: string): SubresourceHandler | undefined {
    return this.#handlers.get(keyOf(kind, subresource));
  }

  isHidden(kind: KindDefinition, subresource: string): boolean {
    return this.#hidden.has(keyOf(kind, subresource));
  }
}

function keyOf(kind: KindDefinition, subresource: string): string {
  return `${kind.names.plural}${kind.group === '' ? '' : `.${kind.group}`}/${subresource}`;
}
