import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { Engine } from './engine.ts';
import { DockerImages } from './image-store.ts';

/** An engine of which only the answers that are needed here are there. */
async function withEngine(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  use: (engine: Engine) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'engine-'));
  const server = createServer((request, response) => {
    response.setHeader('Api-Version', '1.47');
    if (request.url === '/_ping') response.end('OK');
    else answer(request, response);
  });
  const path = join(folder, 'docker.sock');
  await once(server.listen(path), 'listening');
  try {
    await use(new Engine(path));
  } finally {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  }
}

test('a pull that gets nothing for five minutes is given up', async () => {
  const asked = Promise.withResolvers<ServerResponse>();
  await withEngine(
    (_request, response) => asked.resolve(response),
    async (engine) => {
      const clock = new FakeClock();
      const lines: string[] = [];
      const said = Promise.withResolvers<void>();
      const onProgress = (line: string): void => {
        lines.push(line);
        said.resolve();
      };
      const pull = new DockerImages(engine, clock).pull('slow:1', { onProgress }, new AbortController().signal);
      const outcome = expect(pull).rejects.toMatchObject({
        code: 'ImagePull',
        message: 'the pull of slow:1 has made no progress for 5m0s',
      });
      const answer = await asked.promise;
      await clock.advance(200_000);
      answer.write('{"status":"Pulling fs layer","id":"aaaa"}\n');
      await said.promise;
      await clock.advance(299_000);
      const broken = once(answer, 'close');
      await clock.advance(1_000);
      await outcome;
      await broken;
      expect(lines).toEqual(['aaaa: Pulling fs layer']);
    },
  );
});

test('a digest is asked for with the credentials that are shown, also where the engine has it', async () => {
  const asked: { url: string | undefined; auth: unknown }[] = [];
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const header = request.headers['x-registry-auth'];
    asked.push({ url: request.url, auth: typeof header === 'string' ? JSON.parse(Buffer.from(header, 'base64').toString()) : undefined });
    response.statusCode = 401;
    response.end('{"message":"unauthorized: authentication required"}');
  };
  await withEngine(answer, async (engine) => {
    const images = new DockerImages(engine, new FakeClock());
    const credentials = { username: 'ann', password: 'no', serverAddress: 'registry.example.com' };
    const reference = `registry.example.com/team/app@sha256:${'0'.repeat(64)}`;
    await expect(images.pull(reference, { credentials }, new AbortController().signal)).rejects.toMatchObject({
      code: 'ImagePull',
      message: 'unauthorized: authentication required',
    });
  });
  expect(asked).toEqual([
    {
      url: `/v1.47/distribution/registry.example.com/team/app%40sha256%3A${'0'.repeat(64)}/json`,
      auth: { username: 'ann', password: 'no', serveraddress: 'registry.example.com' },
    },
  ]);
});
