import { Agent, get } from 'node:https';
import type { StreamJob, StreamResult } from './jobs.ts';

/** Reads a large answer some times over, on one connection. */
export async function runStream({ peer, path, accept = 'application/json', count }: StreamJob): Promise<StreamResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: peer.ca, cert: peer.cert, key: peer.key });
  const firstByteMs: number[] = [];
  const totalMs: number[] = [];
  let bytes = 0;
  for (let round = 0; round < count; round++) {
    const startMs = performance.now();
    bytes = await new Promise<number>((resolve, reject) => {
      const request = get({ host: '127.0.0.1', port: peer.port, path, agent, headers: { Accept: accept } }, (answer) => {
        let total = 0;
        if (answer.statusCode !== 200) reject(new Error(`${path}: status ${answer.statusCode}`));
        answer.once('data', () => firstByteMs.push(performance.now() - startMs));
        answer.on('data', (chunk: Buffer) => (total += chunk.length));
        answer.on('end', () => resolve(total));
        answer.on('error', reject);
      });
      request.on('error', reject);
    });
    totalMs.push(performance.now() - startMs);
  }
  agent.destroy();
  return { firstByteMs, totalMs, bytes };
}
