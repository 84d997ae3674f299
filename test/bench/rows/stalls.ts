import { request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { Bench } from '../bench.ts';
import type { Peer } from '../load/connection.ts';
import { longestStallMs, stallFigure } from '../stall.ts';
import { type LargeRequest, largeRequests } from './large-requests.ts';

/** The longest stall during each of the largest and oddest requests. Runs on the filled server, and empties it. */
export const stalls: Bench = {
  name: 'stalls',
  about: 'how long large and odd requests hold the event loop up',
  async *run(context) {
    const server = await context.filledServer();
    for (const one of largeRequests(context.podsPath.slice(0, context.podsPath.lastIndexOf('/')))) {
      await longestStallMs(server.peer);
      const note = await send(server.peer, one);
      yield { ...(await stallFigure(server.peer)), what: one.name, note };
    }
  },
};

/** Answers the status and how long the whole answer took. */
async function send({ port, ca, cert, key }: Peer, { method, path, body, type, accept }: LargeRequest): Promise<string> {
  const bytes = body?.() ?? '';
  const headers = { Accept: accept ?? 'application/json', ...(type === undefined ? {} : { 'Content-Type': type }) };
  const startMs = performance.now();
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, ca, cert, key, method, path, headers, agent: false }, resolve);
    sent.on('error', reject);
    sent.end(bytes);
  });
  for await (const _ of answer);
  return `status ${answer.statusCode ?? 0}, ${(performance.now() - startMs).toFixed(0)} ms`;
}
