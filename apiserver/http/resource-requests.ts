import type { KindDefinition } from '#api/kind.ts';
import { nameIsPathSegment } from '#api/meta/names.ts';
import { badRequest } from '#api/meta/status.ts';
import type { IsShown } from '../flags/runtime-config.ts';
import type { SubresourceTable } from '../subresources/contract.ts';
import type { Exchange } from './exchange.ts';
import type { RequestInfo } from './request-info.ts';
import { sendError, sendText } from './respond.ts';
import { remove, removeAll } from './verbs/delete.ts';
import { get } from './verbs/get.ts';
import { list } from './verbs/list.ts';
import type { Verb, VerbDeps } from './verbs/verb.ts';
import { watch } from './verbs/watch.ts';
import { create, hasVerb, methodNotAllowed, patch, resourceNotFound, update } from './verbs/write.ts';

const verbs: Readonly<Record<string, Verb>> = { get, list, watch, create, update, patch, delete: remove, deletecollection: removeAll };
const statusVerbs = ['get', 'patch', 'update'];

interface ResourceRequestsDeps extends VerbDeps {
  readonly subresources: SubresourceTable;
  /** True where the group has served resources: a 404 below it is a Status object, elsewhere plain text. */
  readonly knowsGroup: (group: string) => boolean;
  /** False for kinds that `--runtime-config` disables. */
  readonly isShown: IsShown;
}

/** Serves every path below /api/v1 and /apis/GROUP/VERSION: finds the kind, then the verb. */
export class ResourceRequests {
  readonly #deps: ResourceRequestsDeps;

  constructor(deps: ResourceRequestsDeps) {
    this.#deps = deps;
  }

  async serve(exchange: Exchange): Promise<void> {
    const { info } = exchange;
    const found = this.#deps.registry.find(info.group, info.version, info.resource);
    const kind = found !== undefined && this.#deps.isShown(found) ? found : undefined;
    // An empty segment is not a wildcard: /namespaces//pods is not the pods of all namespaces. Trailing slashes are ignored.
    const own = info.path.slice(0, info.path.length - info.rest.length).replace(/\/+$/, '');
    if (kind === undefined || info.verb === 'proxy' || !fits(exchange, kind) || own.includes('//')) return this.#notFound(exchange);
    exchange.isServed = true;
    if (kind.deprecation !== undefined) {
      exchange.isDeprecated = true;
      exchange.audit?.annotate('k8s.io/deprecated', 'true');
      exchange.warn(kind.deprecation);
    }
    const problems = nameIsPathSegment(info.pathName, false);
    if (problems.length > 0) throw badRequest(`Name parameter invalid: ${JSON.stringify(info.pathName)}: ${problems.join(';')}`);
    if (info.subresource !== '') return this.#serveSubresource(exchange, kind);
    if (hasRest(info)) return this.#notFound(exchange);
    const act = this.#deps.subresources.find(kind, '');
    if (act !== undefined && act.verbs.includes(info.verb) && fitsVerb(exchange, kind)) return act.serve(exchange, kind, this.#deps);
    const verb = info.isWatchPath ? watch : verbs[info.verb];
    const allowed = verb !== undefined && hasVerb(kind, info.isWatchPath ? 'watch' : info.verb);
    if (!allowed || !fitsVerb(exchange, kind)) throw methodNotAllowed();
    return verb(exchange, kind, this.#deps);
  }

  #serveSubresource(exchange: Exchange, kind: KindDefinition): Promise<void> | void {
    const { info } = exchange;
    const { subresource } = info;
    const special = this.#deps.subresources.find(kind, subresource);
    if (special !== undefined) {
      if (!special.verbs.includes(info.verb) && !special.verbs.includes('*')) throw methodNotAllowed();
      if (hasRest(info) && special.takesPath !== true) return this.#notFound(exchange);
      return special.serve(exchange, kind, this.#deps);
    }
    const declared = subresourceVerbs(kind, subresource);
    if (declared === undefined || hasRest(info) || this.#deps.subresources.isHidden(kind, subresource)) return this.#notFound(exchange);
    const verb = verbs[info.verb];
    if (verb === undefined || !declared.includes(info.verb)) throw methodNotAllowed();
    return verb(exchange, kind, this.#deps);
  }

  #notFound(exchange: Exchange): void {
    exchange.isServed = false;
    if (this.#deps.knowsGroup(exchange.info.group)) sendError(exchange, resourceNotFound());
    else sendText(exchange, 404, '404 page not found\n');
  }
}

function hasRest({ rest }: RequestInfo): boolean {
  return rest !== '' && rest !== '/';
}

/** The verbs of a subresource; undefined where the kind has none of that name. */
function subresourceVerbs(kind: KindDefinition, subresource: string): readonly string[] | undefined {
  const { status, scale, other } = kind.subresources ?? {};
  if (subresource === 'status') return status === true ? statusVerbs : undefined;
  if (subresource === 'scale') return scale !== undefined ? statusVerbs : undefined;
  return other !== undefined && Object.hasOwn(other, subresource) ? other[subresource]?.verbs : undefined;
}

const namedVerbs = ['get', 'update', 'patch', 'delete'];

/**
 * True if the path exists for the kind: names of namespaced kinds only below a namespace, names only where the kind has a verb for a
 * single object (reviews have none), all namespaces at once only for lists.
 */
function fits({ info }: Exchange, kind: KindDefinition): boolean {
  if (kind.scope === 'cluster' ? info.hasNamespacePart : !info.hasNamespacePart && info.pathName !== '') return false;
  if (kind.verbs === undefined) return true;
  if (info.isWatchPath) return kind.verbs.includes('watch');
  if (info.pathName !== '') return info.subresource !== '' || kind.verbs.some((verb) => namedVerbs.includes(verb));
  return kind.scope === 'cluster' || info.hasNamespacePart || kind.verbs.includes('list');
}

/** True if the path accepts the verb: nothing is created or deleted across namespaces, or created at a name. */
function fitsVerb({ info, request }: Exchange, kind: KindDefinition): boolean {
  if (info.verb === 'create') return info.pathName === '' && (kind.scope === 'cluster' || info.hasNamespacePart);
  if (info.verb === 'deletecollection') return kind.scope === 'cluster' || info.hasNamespacePart;
  if (info.verb === 'update' || info.verb === 'patch') return info.pathName !== '';
  return request.method === 'GET' || request.method === 'DELETE';
}
