import { type Agent, request } from 'undici';
import { afterEach, describe, expect, test } from 'vitest';
import { startTestApiServer, type TestApiServer } from '../testing.ts';
import type { AuditSettings, SendingMode } from './flags.ts';
import { agentOf } from '../http/testing.ts';

let server: TestApiServer | undefined;
let agent: Agent | undefined;

afterEach(async () => {
  await agent?.destroy();
  await server?.stop();
});

/** A log on a disk that is always full. */
async function start(mode: SendingMode): Promise<(uri: string) => Promise<{ code: number; text: string }>> {
  const batch = { bufferSize: 10, maxSize: 1, maxWaitMs: 0, throttle: undefined, maxSending: 1 };
  const log = { path: '/dev/full', maxAgeDays: 0, maxBackups: 0, maxMegabytes: 0, compress: false, format: 'json' } as const;
  const audit: AuditSettings = {
    policy: { rules: [{ level: 'Metadata' }] },
    log: { ...log, delivery: { mode, batch, truncate: undefined } },
    webhook: undefined,
  };
  server = await startTestApiServer({ audit });
  agent = agentOf(server.adminClientConfig);
  const { url } = server;
  const dispatcher = agent;
  return async (uri) => {
    const answer = await request(`${url}${uri}`, { dispatcher });
    return { code: answer.statusCode, text: await answer.body.text() };
  };
}

describe('a full disk', () => {
  test.each(['batch', 'blocking'] as const)('stops no request in mode %s, and what is lost is counted', async (mode) => {
    const ask = await start(mode);
    expect((await ask('/api/v1/namespaces/default')).code).toBe(200);
    await expect
      .poll(async () => /^apiserver_audit_error_total\{plugin="log"\} (\d+)/m.exec((await ask('/metrics')).text)?.[1])
      .toMatch(/^[1-9]/);
  });

  test('refuses requests in mode blocking-strict', async () => {
    const ask = await start('blocking-strict');
    const { code, text } = await ask('/api/v1/namespaces/default');
    expect([code, text]).toEqual([500, 'Internal Server Error: "/api/v1/namespaces/default": failed to store audit event\n']);
  });
});
