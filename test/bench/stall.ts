import { get } from 'node:https';
import { text } from 'node:stream/consumers';
import type { IncomingMessage } from 'node:http';
import { type Figure, ms } from './figure.ts';
import type { Peer } from './load/connection.ts';

/** No request may hold the event loop up for longer. */
export const limitMs = 50;
const sample = /^coxswain_event_loop_delay_seconds\{quantile="1"\} (\S+)$/m;

/**
 * The longest that an API server's event loop was held up since the last look, in ms, as the server itself tells it: up to 10 ms too
 * little. What else the machine does counts too.
 */
export async function longestStallMs(peer: Peer): Promise<number> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const { port, ca, cert, key } = peer;
    get({ host: '127.0.0.1', port, ca, cert, key, path: '/metrics', agent: false }, resolve).on('error', reject);
  });
  return Number(sample.exec(await text(answer))?.[1]) * 1_000;
}

/** The line below a row. */
export async function stallFigure(peer: Peer): Promise<Figure> {
  return { what: '  longest stall of the event loop', ours: ms(await longestStallMs(peer)), target: ms(limitMs) };
}
