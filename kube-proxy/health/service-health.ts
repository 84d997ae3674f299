// Answers at each Service's healthCheckNodePort how many of its pods are ready on this node: load balancers of Services with
// externalTrafficPolicy Local ask there which nodes to use. How it works: informers say that something changed; one loop compares the
// ports wanted with those open. A port in use by another process is retried until it is free or no longer desired.
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { Service as KubeService } from '#api/core/service/service.ts';
import type { EndpointSlice } from '#api/discovery/endpoint-slice.ts';
import { keyOf, keyText } from '#api/meta/object.ts';
import type { Clock } from '#base/clock.ts';
import { listen } from '#base/health-server.ts';
import { isAbort, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import type { Informer } from '#client/informer.ts';
import { countLocalReady } from '../model/endpoints.ts';
import { isServed } from '../model/wanted.ts';
import { byServiceIndex } from '../proxier.ts';

interface ServiceHealthDeps {
  readonly services: Informer<KubeService>;
  readonly slices: Informer<EndpointSlice>;
  readonly nodeName: string;
  readonly isHealthy: () => boolean;
  readonly clock: Clock;
  readonly log: Log;
  /** Address to listen on; default all of the node's. */
  readonly host?: string;
}

const retryMs = 10_000;

export class ServiceHealthServers implements Service {
  readonly name = 'service health servers';
  readonly #deps: ServiceHealthDeps;
  /** By port; the Service is looked up per request. */
  readonly #open = new Map<number, Server>();
  #wake = Promise.withResolvers<void>();

  constructor(deps: ServiceHealthDeps) {
    this.#deps = deps;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { services, clock } = this.#deps;
    const wake = (): void => this.#wake.resolve();
    const unsubscribe = services.subscribe(wake);
    signal.addEventListener('abort', wake, { once: true });
    ready();
    try {
      for (;;) {
        this.#wake = Promise.withResolvers<void>();
        const isAllOpen = await this.#settle();
        if (!isAllOpen) void clock.sleep(retryMs, signal).then(wake, wake);
        await this.#wake.promise;
        signal.throwIfAborted();
      }
    } catch (error) {
      if (!isAbort(error, signal)) throw error;
    } finally {
      unsubscribe();
      for (const port of this.#open.keys()) this.#close(port);
    }
  }

  /** Opens and closes until the ports are those wanted; false where one could not be opened. */
  async #settle(): Promise<boolean> {
    const wanted = new Set(this.#deps.services.list().map(healthPort));
    for (const port of this.#open.keys()) if (!wanted.has(port)) this.#close(port);
    let isAllOpen = true;
    for (const port of wanted) {
      if (port === 0 || this.#open.has(port)) continue;
      const server = createServer((_, response) => this.#answer(port, response));
      try {
        await listen(server, this.#deps.host ?? '0.0.0.0', port);
        this.#open.set(port, server);
      } catch (err) {
        isAllOpen = false;
        this.#deps.log.error({ err, port }, 'the health check of a Service cannot be served; trying again');
      }
    }
    return isAllOpen;
  }

  #close(port: number): void {
    const server = this.#open.get(port);
    this.#open.delete(port);
    server?.closeAllConnections();
    server?.close();
  }

  #answer(port: number, response: ServerResponse): void {
    const { services, slices, nodeName, isHealthy } = this.#deps;
    const service = services.list().find((one) => healthPort(one) === port);
    if (service === undefined) {
      response.writeHead(503);
      response.end();
      return;
    }
    const { namespace, name } = service.metadata;
    const localEndpoints = countLocalReady(slices.byIndex(byServiceIndex, keyText(keyOf(service))), nodeName);
    const serviceProxyHealthy = isHealthy();
    response.writeHead(localEndpoints > 0 && serviceProxyHealthy ? 200 : 503, {
      'Content-Type': 'application/json',
      'X-Content-Type-Options': 'nosniff',
      'X-Load-Balancing-Endpoint-Weight': String(localEndpoints),
    });
    response.end(JSON.stringify({ service: { namespace, name }, localEndpoints, serviceProxyHealthy }, undefined, '\t'));
  }
}

/** The port that a Service wants asked, 0 for none. */
function healthPort(service: KubeService): number {
  const { spec } = service;
  const isAsked = spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local' && isServed(service);
  return isAsked ? (spec.healthCheckNodePort ?? 0) : 0;
}
