// Against an engine of which only the answers that are needed here are there.
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { Engine } from './engine.ts';
import { DockerImages } from './image-store.ts';

test('a pull that gets nothing for five minutes is given up', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'engine-'));
  const asked = Promise.withResolvers<ServerResponse>();
  const server = createServer((request, response) => {
    response.setHeader('Api-Version', '1.47');
    if (request.url === '/_ping') response.end('OK');
    else asked.resolve(response);
  });
  const path = join(folder, 'docker.sock');
  await once(server.listen(path), 'listening');
  try {
    const clock = new FakeClock();
    const lines: string[] = [];
    const said = Promise.withResolvers<void>();
    const onProgress = (line: string): void => {
      lines.push(line);
      said.resolve();
    };
    const pull = new DockerImages(new Engine(path), clock).pull('slow:1', { onProgress }, new AbortController().signal);
    const outcome = expect(pull).rejects.toMatchObject({ code: 'ImagePull', message: 'the pull of slow:1 has made no progress for 5m0s' });
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
  } finally {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  }
});
