import { createServer, type Server, type ServerResponse } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { Engine } from './engine.ts';
import { DockerImages } from './image-store.ts';

const { signal } = new AbortController();
let folder: string;
let server: Server;
let engine: Engine;
let answer: (response: ServerResponse) => void;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'engine-'));
  server = createServer((request, response) => {
    if (request.url === '/_ping') response.writeHead(200, { 'api-version': '1.47' }).end('OK');
    else answer(response);
  });
  const path = join(folder, 'docker.sock');
  await new Promise<void>((resolve) => server.listen(path, resolve));
  engine = new Engine(path);
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

const ask = (until = signal): Promise<unknown> => engine.call('POST', '/containers/x/wait', {}, until);

test.each<[name: string, status: number, text: string, value: unknown]>([
  ['JSON', 200, '{"StatusCode":3}', { StatusCode: 3 }],
  ['nothing', 204, '', undefined],
  ['what is no JSON', 200, 'OK', undefined],
])('an answer of %s', async (_, status, text, value) => {
  answer = (response) => response.writeHead(status).end(text);
  expect(await ask()).toEqual(value);
});

test('a refusal has the words of the engine', async () => {
  answer = (response) => response.writeHead(404).end('{"message":"No such container: x"}');
  await expect(ask()).rejects.toMatchObject({ code: 'NotFound', message: 'No such container: x' });
});

test('an engine that goes away before it answers, and one that does in the middle of it', async () => {
  answer = (response) => response.destroy();
  await expect(ask()).rejects.toMatchObject({ code: 'Unavailable' });
  answer = (response) => {
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.write('{', () => response.destroy());
  };
  await expect(ask()).rejects.toMatchObject({ code: 'Unavailable' });
});

test('nobody waits any more', async () => {
  const life = new AbortController();
  answer = (response) => {
    response.writeHead(200);
    response.write(' ', () => life.abort(new Error('enough')));
  };
  await expect(ask(life.signal)).rejects.toThrow('enough');
});

test('an engine that goes away while it pulls an image', async () => {
  answer = (response) => {
    response.writeHead(200);
    response.write('{"status":"Pulling from library/app"}\n', () => response.destroy());
  };
  const images = new DockerImages(engine, new FakeClock());
  await expect(images.pull('app', {}, signal)).rejects.toMatchObject({ name: 'RuntimeError', code: 'Unavailable' });
});
