import { request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench } from '../bench.ts';
import { ms } from '../figure.ts';
import type { Peer } from '../load/connection.ts';
import { limitMs, longestStallMs } from '../stall.ts';
import { type LargeRequest, largeRequests } from './large-requests.ts';

/** What comes after the answer: the event of the write, the end of a stream. */
const afterMs = 150;

/** The longest turn of the event loop during each of the largest and oddest requests. Runs on the filled server, and empties it. */
export const stalls: Bench = {
  name: 'stalls',
  about: 'how long large and odd requests hold the event loop up',
  async *run(context) {
    const server = await context.filledServer();
    const turns = context.turnsPath;
    process.kill(server.pid, 'SIGUSR2');
    for (const one of largeRequests(context.podsPath.slice(0, context.podsPath.lastIndexOf('/')))) {
      await longestStallMs(server.peer);
      await sleep(afterMs);
      writeFileSync(turns, '');
      const note = await send(server.peer, one);
      await sleep(afterMs);
      const longest = longestTurnMs(turns);
      const seen = await longestStallMs(server.peer);
      yield { what: one.name, ours: ms(longest), target: ms(limitMs), note: `${note}, by the clock ${seen.toFixed(0)} ms` };
    }
  },
};

/** CPU time of the longest turn that was written down, in ms. */
function longestTurnMs(path: string): number {
  if (!existsSync(path)) return 0;
  return Math.max(0, ...readFileSync(path, 'latin1').trim().split('\n').map(Number));
}

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
  // A watch may be cut off when its time is up.
  const end = await consume(answer).then(
    () => '',
    () => ', cut off',
  );
  return `status ${answer.statusCode ?? 0}${end}, ${(performance.now() - startMs).toFixed(0)} ms`;
}

async function consume(answer: IncomingMessage): Promise<void> {
  for await (const _ of answer);
}
