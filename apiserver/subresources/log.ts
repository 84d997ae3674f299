import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { V1Pod } from '#api/generated/types.ts';
import { type FieldProblem, forbiddenField, invalid, invalidObject, notSupported } from '#api/meta/field-problem.ts';
import { ApiError, badRequest, internalError } from '#api/meta/status.ts';
import { sendAsMessages } from '#base/streams/websocket-reader.ts';
import type { Exchange } from '../http/exchange.ts';
import { readContext } from '../http/options.ts';
import type { Query } from '../http/query.ts';
import { start } from '../http/respond.ts';
import type { SubresourceHandler } from './contract.ts';
import type { KubeletConnection } from './kubelet-connection.ts';
import { chooseContainer } from './pod-target.ts';

/** The longest refusal of a kubelet that is handed on. */
const maxRefusalBytes = 50_000;
const booleans = ['follow', 'previous', 'timestamps'];
const contentType = 'text/plain';

/** `pods/NAME/log`: what a container wrote, from its node's kubelet. */
export function podLog(kubelets: KubeletConnection): SubresourceHandler {
  return {
    verbs: ['get'],
    serve: async (exchange, kind, { registry }) => {
      const { info, query } = exchange;
      const parameters = logParameters(query, info.pathName);
      const pod = (await registry.get(kind, info.pathName, '', { ...readContext(exchange), subresource: '' })).object() as V1Pod;
      const container = chooseContainer(pod, query.get('container') ?? '');
      const node = pod.spec?.nodeName ?? '';
      // Not started yet, so it has no log.
      if (node === '') return sendLog(exchange, Readable.from([]));
      const path = `/containerLogs/${info.namespace}/${info.pathName}/${container}`;
      const target = { path: `${path}${parameters === '' ? '' : `?${parameters}`}`, trustsAll: query.flag('insecureSkipTLSVerifyBackend') };
      const answer = await kubelets.fetch(node, target, exchange.signal);
      if ((answer.statusCode ?? 0) < 200 || (answer.statusCode ?? 0) > 206) throw await refusalOf(answer, info.pathName);
      await sendLog(exchange, answer);
    },
  };
}

/** Hands on what a container says, to WebSocket clients in messages. */
async function sendLog(exchange: Exchange, source: Readable): Promise<void> {
  const { upgrade, request, response } = exchange;
  if (upgrade?.protocol === 'websocket') {
    exchange.audit?.started(101);
    return sendAsMessages({ ...upgrade, request: request as IncomingMessage }, source);
  }
  start(exchange, 200, contentType);
  response.flushHeaders();
  await pipeline(source, response as unknown as NodeJS.WritableStream).catch(() => void response.destroy());
}

/** The query for the kubelet. Throws Invalid or BadRequest. */
function logParameters(query: Query, name: string): string {
  const out = new URLSearchParams();
  for (const key of booleans) if (query.flag(key)) out.set(key, 'true');
  const sinceSeconds = query.integer('sinceSeconds');
  const sinceTime = query.get('sinceTime');
  const tailLines = query.integer('tailLines');
  const limitBytes = query.integer('limitBytes');
  const stream = query.get('stream') ?? '';
  const problems: FieldProblem[] = [];
  if (tailLines !== undefined && tailLines < 0) problems.push(invalid('tailLines', tailLines, 'must be greater than or equal to 0'));
  if (limitBytes !== undefined && limitBytes < 1) problems.push(invalid('limitBytes', limitBytes, 'must be greater than 0'));
  if (sinceSeconds !== undefined && sinceTime !== undefined) {
    problems.push(forbiddenField('', 'at most one of `sinceTime` or `sinceSeconds` may be specified'));
  }
  if (sinceSeconds !== undefined && sinceSeconds < 1) problems.push(invalid('sinceSeconds', sinceSeconds, 'must be greater than 0'));
  if (!['', 'All', 'Stdout', 'Stderr'].includes(stream)) problems.push(notSupported('stream', stream, ['All', 'Stdout', 'Stderr']));
  if (tailLines !== undefined && (stream === 'Stdout' || stream === 'Stderr')) {
    problems.push(forbiddenField('', '`tailLines` and specific `stream` are mutually exclusive for now'));
  }
  if (problems.length > 0) throw invalidObject({ group: '', kind: 'PodLogOptions' }, name, problems);
  if (sinceTime !== undefined && Number.isNaN(Date.parse(sinceTime))) throw badRequest(`parsing time ${JSON.stringify(sinceTime)}`);
  const rest = { sinceSeconds, sinceTime, tailLines, limitBytes, stream: stream === '' || stream === 'All' ? undefined : stream };
  for (const [key, value] of Object.entries(rest)) if (value !== undefined) out.set(key, String(value));
  return out.toString();
}

/** A kubelet's refusal in the API's words. */
async function refusalOf(answer: IncomingMessage, name: string): Promise<ApiError> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    if (size < maxRefusalBytes) chunks.push(chunk);
    size += chunk.length;
  }
  const text = Buffer.concat(chunks).subarray(0, maxRefusalBytes).toString();
  if (answer.statusCode === 400) return badRequest(text);
  if (answer.statusCode !== 404) return internalError(text);
  return new ApiError({
    reason: 'NotFound',
    message: `the server could not find the requested resource ( pods/log ${name})`,
    details: { name, kind: 'pods/log', causes: [{ reason: 'UnexpectedServerResponse', message: text }] },
  });
}
