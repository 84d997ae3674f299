import { benchPod, PodTemplate, podName, smallestPod } from '../pods.ts';
import { Connection, requestBytes } from './connection.ts';
import type { RequestsJob, RequestsResult } from './jobs.ts';

/** Runs closed loops on every connection until the count or the time is reached. */
export async function runRequests(job: RequestsJob): Promise<RequestsResult> {
  const connections = await Promise.all(Array.from({ length: job.connections }, () => Connection.open(job.peer)));
  const latencies: number[] = [];
  const failures: Record<string, number> = {};
  const startMs = performance.now();
  const endMs = job.durationMs === undefined ? Infinity : startMs + job.durationMs;
  const limit = job.count ?? Infinity;
  let sent = 0;
  let bytes = 0;
  const loop = async (connection: Connection): Promise<void> => {
    const next = requestMaker(job);
    let nowMs = performance.now();
    while (sent < limit && nowMs < endMs) {
      const answer = await connection.request(next(sent++));
      const doneMs = performance.now();
      latencies.push(doneMs - nowMs);
      nowMs = doneMs;
      bytes += answer.bytes;
      if (answer.status >= 300) failures[answer.status] = (failures[answer.status] ?? 0) + 1;
    }
  };
  await Promise.all(connections.map(loop));
  const elapsedMs = performance.now() - startMs;
  for (const connection of connections) connection.close();
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? Number.NaN;
  return { requests: latencies.length, seconds: elapsedMs / 1_000, p50Ms: at(0.5), p99Ms: at(0.99), failures, bytes };
}

/** Gives the bytes of the n-th request; a connection reuses its buffer. */
function requestMaker({ do: kind, path, pods, firstPod, smallest = false }: RequestsJob): (number: number) => Buffer {
  if (kind === 'list') {
    const bytes = requestBytes('GET', path);
    return () => bytes;
  }
  if (kind === 'get') return (number) => requestBytes('GET', `${path}/${podName((number * 7_919) % pods)}`);
  const template = new PodTemplate(smallest ? smallestPod() : benchPod());
  const bytes = requestBytes('POST', path, Buffer.alloc(template.length));
  return (number) => {
    template.write(firstPod + number, bytes, bytes.length - template.length);
    return bytes;
  };
}
