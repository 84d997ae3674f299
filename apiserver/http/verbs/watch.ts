import { WebSocketServer, type WebSocket } from 'ws';
import type { IncomingMessage } from 'node:http';
import { type FieldSelector, parseFieldSelector } from '#api/meta/field-selector.ts';
import { SelectorError } from '#api/meta/label-requirement.ts';
import { badRequest } from '#api/meta/status.ts';
import type { WatchRequest } from '../../registry/contract.ts';
import type { Exchange, Upgrade } from '../exchange.ts';
import { notAcceptable, streamedTypes, type Wanted } from '../negotiate.ts';
import { scopeOf } from '../filters/request-metrics.ts';
import { parseWatchRequest, readContext } from '../options.ts';
import { openHttpSink } from '../http-sinks.ts';
import { type FrameSink, frameRenderer, pump } from '../watch-writer.ts';
import { WebSocketSink } from '../websocket-sink.ts';
import { offerOf, type Verb, type VerbDeps, wantedOf } from './verb.ts';

/** A stream of changes, over plain HTTP or as WebSocket messages. */
export const watch: Verb = async (exchange, kind, deps) => {
  const wanted = wantedOf(exchange, kind, deps);
  if (wanted.encoding === 'yaml' || wanted.form === 'partial-list') throw notAcceptable(streamedTypes(offerOf(kind, deps)));
  const request = parseWatchRequest(exchange.query);
  const named = withName(request, exchange.info.pathName);
  const lifetimeSeconds =
    request.timeoutSeconds === undefined || request.timeoutSeconds <= 0
      ? deps.minWatchSeconds * (1 + Math.random())
      : request.timeoutSeconds;
  using _lifetime = deps.watchLifetimes.begin(exchange, lifetimeSeconds * 1_000);
  const context = { ...readContext(exchange), signal: exchange.signal };
  const render = wanted.encoding === 'protobuf' ? deps.protobufFrames.renderer(wanted) : frameRenderer(exchange, wanted, kind, deps);
  // Opened last: until then a failure can still be an ordinary response.
  const sinceStart = (): number => (deps.clock.monotonicMs() - exchange.startMs) / 1_000;
  const frames = await deps.registry.watch(kind, { ...named, timeoutSeconds: lifetimeSeconds }, context);
  const { upgrade } = exchange;
  const sink = upgrade === undefined ? openHttpSink(exchange, wanted, deps) : await openWebSocketSink(exchange, upgrade, wanted, deps);
  await pump(
    frames,
    sink,
    {
      render,
      counter: deps.watchMetrics.of(kind, scopeOf(exchange.info), request.sendInitialEvents === true ? sinceStart : undefined),
    },
    exchange.signal,
  );
};

/** The old form of a watch may name one object; a selector beside the name must say the same. */
function withName(request: WatchRequest, name: string): WatchRequest {
  if (name === '') return request;
  const fields = fieldsOf(request);
  if (fields.terms.length === 0) return { ...request, fieldSelector: `metadata.name=${name}` };
  if (fields.exact('metadata.name') !== name) throw badRequest("fieldSelector metadata.name doesn't match requested name");
  return request;
}

function fieldsOf({ fieldSelector }: WatchRequest): FieldSelector {
  try {
    return parseFieldSelector(fieldSelector);
  } catch (error) {
    throw error instanceof SelectorError ? badRequest(error.message) : error;
  }
}

async function openWebSocketSink(exchange: Exchange, upgrade: Upgrade, wanted: Wanted, deps: VerbDeps): Promise<FrameSink> {
  exchange.audit?.started(101);
  const server = new WebSocketServer({ noServer: true, maxPayload: 64 * 1024, perMessageDeflate: false });
  const socket = await new Promise<WebSocket>((resolve) => {
    server.handleUpgrade(exchange.request as unknown as IncomingMessage, upgrade.socket, upgrade.head, resolve);
  });
  socket.on('close', () => exchange.abort(new Error('the client closed the watch')));
  socket.on('error', () => exchange.abort(new Error('the watch connection failed')));
  return new WebSocketSink(socket, deps.clock, wanted.encoding === 'protobuf' ? 'binary' : 'text');
}
