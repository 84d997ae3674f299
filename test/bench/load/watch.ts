import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuMicros } from '../process-usage.ts';
import { benchPod, PodTemplate } from '../pods.ts';
import { Connection, openSocket, requestBytes } from './connection.ts';
import type { WatchJob, WatchResult } from './jobs.ts';

const newline = 0x0a;
const brace = 0x7d;
const settleMs = 300;

/** Opens the watches, makes the events, and waits until everybody has read them all. */
export async function runWatch(job: WatchJob): Promise<WatchResult> {
  const { peer, watchers, events, writers, createPath, firstPod, serverPid } = job;
  const wanted = watchers * events;
  let delivered = 0;
  const all = Promise.withResolvers<void>();
  const counted = (frames: number): void => {
    delivered += frames;
    if (delivered >= wanted) all.resolve();
  };
  const sockets = [];
  for (let at = 0; at < watchers; at++) sockets.push(await openWatch(job, counted, all.reject));
  await sleep(settleMs);
  const template = new PodTemplate(benchPod());
  const connections = await Promise.all(Array.from({ length: writers }, () => Connection.open(peer)));
  const startMicros = cpuMicros(serverPid);
  const startMs = performance.now();
  let sent = 0;
  const write = async (connection: Connection): Promise<void> => {
    const bytes = requestBytes('POST', createPath, Buffer.alloc(template.length));
    while (sent < events) {
      template.write(firstPod + sent++, bytes, bytes.length - template.length);
      const { status } = await connection.request(bytes);
      if (status >= 300) throw new Error(`${createPath}: status ${status}`);
    }
  };
  await Promise.all([...connections.map(write), all.promise]);
  const elapsedMs = performance.now() - startMs;
  const usedMicros = cpuMicros(serverPid) - startMicros;
  for (const connection of connections) connection.close();
  for (const socket of sockets) socket.destroy();
  return { deliveries: delivered, seconds: elapsedMs / 1_000, cpuMicros: usedMicros };
}

/** One watch; `counted` learns of every frame, which is a line that ends in a brace. */
async function openWatch(
  { peer, watchPath }: WatchJob,
  counted: (frames: number) => void,
  failed: (error: Error) => void,
): Promise<{ destroy(): void }> {
  const socket = await openSocket(peer);
  socket.write(requestBytes('GET', watchPath));
  const [head] = (await once(socket, 'data')) as [Buffer];
  if (!head.toString('latin1', 0, 12).endsWith(' 200')) throw new Error(`${watchPath}: ${head.toString('latin1', 0, 200)}`);
  let last = 0;
  let isOver = false;
  socket.on('data', (chunk: Buffer) => {
    let frames = 0;
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, at + 1)) {
      if ((at === 0 ? last : chunk[at - 1]) === brace) frames++;
    }
    last = chunk[chunk.length - 1] ?? 0;
    if (frames > 0) counted(frames);
  });
  socket.on('error', failed);
  socket.on('close', () => {
    if (!isOver) failed(new Error('a watch ended early'));
  });
  return {
    destroy: () => {
      isOver = true;
      socket.destroy();
    },
  };
}
