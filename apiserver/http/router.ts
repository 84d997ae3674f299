import { buildInfo } from '#base/build-info.ts';
import { parseAccept } from '#base/accept.ts';
import type { Metrics } from '#base/metrics.ts';
import { aggregatedKind } from '../discovery/aggregated-schema.ts';
import type { DiscoveryDocuments, TaggedDocument } from '../discovery/documents.ts';
import type { Exchange } from './exchange.ts';
import { type Encoding, encodingOf, type Negotiator, protobufType, type Wanted } from './negotiate.ts';
import type { ResourceRequests } from './resource-requests.ts';
import { indented, isPretty, jsonType, sendBytes, sendError, sendText, sendValue } from './respond.ts';
import { methodNotAllowed, resourceNotFound } from './verbs/write.ts';

/** Serves documents below a path of their own, such as /openapi/v3. */
export interface Pages {
  owns(path: string): boolean;
  paths(): string[];
  serve(exchange: Exchange): Promise<void> | void;
  /** True for pages that upstream serves through go-restful, which accept GET only; other pages answer every method. */
  readonly takesGetOnly?: boolean;
}

interface RouterDeps {
  readonly resources: ResourceRequests;
  readonly discovery: DiscoveryDocuments;
  readonly metrics: Metrics;
  readonly negotiator: Negotiator;
  /** Health, OpenAPI, keys of the token issuer and the like. */
  readonly pages: readonly Pages[];
}

const slash = 47;

/** The innermost handler: dispatches a request by its path to resources, discovery or pages. */
export class Router {
  readonly #deps: RouterDeps;

  constructor(deps: RouterDeps) {
    this.#deps = deps;
  }

  readonly serve = (exchange: Exchange): Promise<void> | void => {
    const { isResource, path } = exchange.info;
    // //api/v1/pods is authorized like /api/v1/pods, but served by nothing.
    if (isResource && path.charCodeAt(1) !== slash) return this.#deps.resources.serve(exchange);
    exchange.isServed = true;
    const served = isResource ? undefined : this.#servePlain(exchange, path);
    if (served !== undefined) return served === 'done' ? undefined : served;
    exchange.isServed = false;
    return sendText(exchange, 404, '404 page not found\n');
  };

  #servePlain(exchange: Exchange, given: string): Promise<void> | 'done' | undefined {
    const { metrics, pages } = this.#deps;
    // Paths that upstream serves through go-restful may end in slashes; others have one spelling.
    const isDiscovery = /^\/apis?(\/|$)/.test(given) && given !== '/apis//';
    const path = isDiscovery || /^\/version\/+$/.test(given) ? given.replace(/\/+$/, '') : given === '/index.html' ? '/' : given;
    const owner = pages.find((one) => one.owns(path));
    if (owner === undefined && !isDiscovery && path !== '/version' && path !== '/metrics' && path !== '/') return undefined;
    const { method } = exchange.request;
    const takesGetOnly = owner === undefined ? isDiscovery || path === '/version' : owner.takesGetOnly === true;
    if (takesGetOnly && method !== 'GET') {
      sendError(exchange, methodNotAllowed());
      return 'done';
    }
    if (owner !== undefined) return owner.serve(exchange) ?? 'done';
    if (isDiscovery) return this.#serveDiscovery(exchange, path);
    if (path === '/version') sendRaw(exchange, versionDocument());
    if (path === '/') sendRaw(exchange, { paths: this.paths() });
    if (path !== '/metrics') return 'done';
    return metrics.text().then((text) => sendBytes(exchange, 200, metrics.contentType, Buffer.from(text)));
  }

  #serveDiscovery(exchange: Exchange, path: string): 'done' | undefined {
    const { discovery } = this.#deps;
    const [root = '', first = '', second = ''] = path.slice(1).split('/');
    if (first === '' && (root === 'api' || root === 'apis')) {
      const encoding = aggregatedEncoding(exchange.header('accept') ?? '');
      if (encoding !== undefined) sendTagged(exchange, discovery.aggregated(root, encoding), encoding);
      else this.#send(exchange, root === 'api' ? discovery.legacyVersions() : discovery.groupList());
      return 'done';
    }
    const document =
      root === 'api' ? discovery.resourceList('', first) : second === '' ? discovery.group(first) : discovery.resourceList(first, second);
    if (document !== undefined) this.#send(exchange, document);
    else if (discovery.knowsGroup(root === 'api' ? '' : first)) sendError(exchange, resourceNotFound());
    else return undefined;
    return 'done';
  }

  #send(exchange: Exchange, document: object): void {
    sendValue(exchange, this.#wanted(exchange), 200, document, ['Vary', 'Accept']);
  }

  #wanted(exchange: Exchange): Pick<Wanted, 'encoding'> {
    return this.#deps.negotiator.negotiate(exchange.request.headers.accept, 'no-table');
  }

  /** Every served path that is not a resource, sorted. */
  paths(): string[] {
    const { discovery, pages } = this.#deps;
    return [...discovery.paths(), ...pages.flatMap((one) => one.paths()), '/metrics', '/version'].sort();
  }
}

/** The encoding to write aggregated discovery in; undefined where plain discovery comes first. */
function aggregatedEncoding(accept: string): Encoding | undefined {
  if (!accept.includes('apidiscovery.k8s.io')) return undefined;
  for (const { type, params } of parseAccept(accept)) {
    const encoding = encodingOf(type);
    if (encoding === undefined) continue;
    const { as, g, v } = params;
    if (as === undefined) return undefined;
    if (as === aggregatedKind.kind && g === aggregatedKind.group && v === aggregatedKind.version) return encoding;
  }
  return undefined;
}

const encodedTypes: Readonly<Record<Encoding, string>> = { json: jsonType, yaml: 'application/yaml', protobuf: protobufType };

/** Unlike other responses, clients may cache this one by its ETag. */
function sendTagged(exchange: Exchange, { bytes, etag }: TaggedDocument, encoding: Encoding): void {
  const headers = ['ETag', etag, 'Vary', 'Accept', 'Cache-Control', 'public'];
  const { group, version, kind } = aggregatedKind;
  const contentType = `${encodedTypes[encoding]};g=${group};v=${version};as=${kind}`;
  if (exchange.header('if-none-match') === etag) sendBytes(exchange, 304, contentType, Buffer.alloc(0), headers);
  else sendBytes(exchange, 200, contentType, encoding === 'json' && isPretty(exchange) ? indented(bytes) : bytes, headers);
}

/** Indented JSON, whatever the client accepts: these documents are not API objects. */
function sendRaw(exchange: Exchange, document: object): void {
  sendBytes(exchange, 200, jsonType, Buffer.from(JSON.stringify(document, undefined, 2)));
}

function versionDocument(): object {
  const { major, minor, ...rest } = buildInfo();
  return {
    major,
    minor,
    emulationMajor: major,
    emulationMinor: minor,
    minCompatibilityMajor: major,
    minCompatibilityMinor: String(Number(minor) - 1),
    ...rest,
  };
}
