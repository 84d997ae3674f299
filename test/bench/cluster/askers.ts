// Asks a cluster all the time, each request through a connection of its own, and tries each until it is answered: `askers.ts KUBECONFIG`. Every line
// of standard input ends a stretch, of which it tells on standard output how long requests took that were begun in it.
import { Agent, request } from 'node:https';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { findEndpoint } from '#client/kubeconfig.ts';

/** What was asked for in a stretch, and the longest time until it was had. */
export interface Stretch {
  readonly requests: number;
  readonly longestReadMs: number;
  readonly longestWriteMs: number;
}

const everyMs = 25;
const pauseMs = 20;
const path = '/api/v1/namespaces/default/configmaps';
const [kubeconfig = ''] = process.argv.slice(2);
const { server, ca = '', credentials } = findEndpoint({ path: kubeconfig, env: {} });
if (credentials.kind !== 'certificate') throw new Error('a kubeconfig with a client certificate is needed');
// Sessions are not taken up again: where a handshake hangs, it must be seen.
const agent = new Agent({ ca, cert: credentials.cert, key: credentials.key, keepAlive: false, maxCachedSessions: 0 });
let stretch = { requests: 0, longestReadMs: 0, longestWriteMs: 0 };
let next = 0;

for await (const _ of startAsking()) {
  process.stdout.write(`${JSON.stringify(stretch)}\n`);
  stretch = { requests: 0, longestReadMs: 0, longestWriteMs: 0 };
}
process.exit(0);

/** Ends a stretch, when all that was asked in it is had, for each line. */
async function* startAsking(): AsyncGenerator<void> {
  const open = new Set<Promise<void>>();
  const begin = (): void => {
    const isWrite = next++ % 2 === 1;
    const asked = ask(isWrite);
    open.add(asked);
    void asked.finally(() => open.delete(asked));
  };
  await send('POST', { metadata: { name: 'asked' } });
  const timer = setInterval(begin, everyMs);
  for await (const _ of createInterface({ input: process.stdin })) {
    await Promise.all(open);
    yield;
  }
  clearInterval(timer);
}

async function ask(isWrite: boolean): Promise<void> {
  const mine = stretch;
  const fromMs = performance.now();
  const name = `asked-${next}`;
  for (;;) {
    const status = isWrite ? await send('POST', { metadata: { name } }) : await send('GET');
    // A conflict: an attempt before, whose answer was lost, did it.
    if (status === 200 || status === 201 || status === 409) break;
    await sleep(pauseMs);
  }
  const tookMs = performance.now() - fromMs;
  mine.requests++;
  if (isWrite) mine.longestWriteMs = Math.max(mine.longestWriteMs, tookMs);
  else mine.longestReadMs = Math.max(mine.longestReadMs, tookMs);
}

/** Status 0: nobody answered. */
function send(method: 'GET' | 'POST', body?: object): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const to = method === 'GET' ? `${path}/asked` : path;
  const sent = request(`${server}${to}`, { method, agent, headers: { 'content-type': 'application/json' } }, (answer) => {
    answer.resume();
    answer.on('end', () => resolve(answer.statusCode ?? 0));
    answer.on('error', () => resolve(0));
  });
  sent.on('error', () => resolve(0));
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  return promise;
}
