import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '#base/clock.ts';
import type { LogLevelSwitch } from '#base/log.ts';
import { DebugPages } from '#base/profiling/debug-pages.ts';
import { startTestApiServer, type TestApiServer } from '../testing.ts';

let server: TestApiServer;
let admin: Agent;
let nobody: Agent;
const logLevel: LogLevelSwitch = { level: 'info' };
const logFolder = mkdtempSync(join(tmpdir(), 'logs-'));

beforeAll(async () => {
  writeFileSync(join(logFolder, 'syslog'), 'a line\n');
  const debug = new DebugPages({ clock: systemClock, logLevel, hasProfiles: true, argv: ['kube-apiserver'] });
  server = await startTestApiServer({ debug, logFolder });
  admin = agentOf(server.adminClientConfig);
  nobody = agentOf(await server.clientConfigFor('nobody'));
});

afterAll(async () => {
  await admin.destroy();
  await nobody.destroy();
  await server.stop();
  rmSync(logFolder, { recursive: true, force: true });
});

function agentOf({ ca, credentials }: TestApiServer['adminClientConfig']): Agent {
  if (credentials.kind !== 'certificate') throw new Error('a certificate is expected');
  return new Agent({ connect: { ca: ca ?? '', cert: credentials.cert, key: credentials.key } });
}

async function ask(
  method: 'GET' | 'PUT' | 'HEAD',
  path: string,
  body?: string,
  as = admin,
): Promise<{ code: number; text: string; type: unknown }> {
  const answer = await request(`${server.url}${path}`, { method, dispatcher: as, ...(body === undefined ? {} : { body }) });
  return { code: answer.statusCode, text: await answer.body.text(), type: answer.headers['content-type'] };
}

describe('the API server', () => {
  test('is profiled by those who may', async () => {
    expect(await ask('GET', '/debug/pprof/cmdline')).toMatchObject({ code: 200, text: 'kube-apiserver' });
    expect(await ask('GET', '/debug/pprof/heap')).toMatchObject({ code: 200, type: 'application/octet-stream' });
    expect((await ask('GET', '/debug/pprof/heap', undefined, nobody)).code).toBe(403);
    expect((await ask('GET', '/')).text).toContain('"/debug/pprof/"');
  });

  test('says more in its log when asked to', async () => {
    expect(await ask('PUT', '/debug/flags/v', '4')).toMatchObject({ code: 200, text: 'successfully set klog.logging.verbosity to 4' });
    expect(logLevel.level).toBe('debug');
    expect((await ask('PUT', '/debug/flags/v', '0', nobody)).code).toBe(403);
  });

  test("shows the host's logs", async () => {
    expect(await ask('GET', '/logs/syslog')).toMatchObject({ code: 200, text: 'a line\n' });
    expect((await ask('HEAD', '/logs/syslog')).code).toBe(405);
    expect((await ask('GET', '/logs/')).text).toContain('<a href="syslog">');
    expect((await ask('GET', '/logs/%2e%2e/etc/passwd')).code).toBe(404);
    expect((await ask('GET', '/logs/syslog', undefined, nobody)).code).toBe(403);
  });
});
