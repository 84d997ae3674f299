// What Node itself can do, as a yardstick: TLS, a pod parsed and stringified, nothing else. POST parses the body and answers it, GET
// answers a pod, `GET …watch=…` keeps the connection, and a POST below /emit sends one prepared buffer to all of those.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { benchPod, eventBytes } from './pods.ts';

const [certFile = '', keyFile = ''] = process.argv.slice(2);
const pod = benchPod();
const frame = Buffer.from(`${JSON.stringify({ type: 'ADDED', object: pod }).padEnd(eventBytes - 2)}}\n`);
const watchers = new Set<ServerResponse>();

const server = createServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) }, (request, response) => {
  if (request.method === 'GET' && request.url?.includes('watch=') === true) {
    watchers.add(response);
    response.on('close', () => watchers.delete(response));
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.flushHeaders();
  } else if (request.method === 'GET') {
    answer(response, 200, pod);
  } else {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse((chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks)).toString()) as object;
      if (request.url === '/emit') for (const watcher of watchers) watcher.write(frame);
      answer(response, 201, body);
    });
  }
});
server.on('secureConnection', (socket) => socket.setNoDelay(true));
server.keepAliveTimeout = 600_000;
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));

function answer(response: ServerResponse, code: number, value: object): void {
  const text = JSON.stringify(value);
  response.writeHead(code, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}
