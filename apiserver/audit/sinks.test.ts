import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '#base/clock.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLog } from '#base/log.ts';
import { BatchingSink, type BatchOptions } from './batching-sink.ts';
import type { AuditEvent } from './contract.ts';
import { jsonText, legacyText } from './event-text.ts';
import { RotatingFile } from './rotating-file.ts';
import { truncatingSink } from './truncating-sink.ts';
import { WebhookSink } from './webhook-sink.ts';

const plain: AuditEvent = {
  level: 'Metadata',
  auditId: 'id',
  stage: 'ResponseComplete',
  requestUri: '/api/v1/namespaces/default/pods',
  verb: 'create',
  user: { name: 'jane', groups: ['a', 'b'], extra: { z: ['1'], k: ['2'] } },
  impersonatedUser: undefined,
  impersonationConstraint: undefined,
  sourceIps: ['192.0.2.1'],
  userAgent: 'kubectl',
  objectRef: undefined,
  responseStatus: { code: 201 },
  requestObject: undefined,
  responseObject: undefined,
  receivedMs: Date.UTC(2026, 0, 1) + 0.25,
  stageMs: Date.UTC(2026, 0, 1) + 1.5,
  annotations: undefined,
};
const event = (parts: Partial<AuditEvent>): AuditEvent => ({ ...plain, ...parts });

describe('the text of an event', () => {
  test('is JSON with its fields in their order', () => {
    expect(jsonText(event({ requestObject: '{"a":1}', annotations: { b: '2', a: '1' } }))).toBe(
      '{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"id","stage":"ResponseComplete",' +
        '"requestURI":"/api/v1/namespaces/default/pods","verb":"create","user":{"username":"jane","groups":["a","b"],' +
        '"extra":{"k":["2"],"z":["1"]}},"sourceIPs":["192.0.2.1"],"userAgent":"kubectl","responseStatus":{"metadata":{},"code":201},' +
        '"requestObject":{"a":1},"requestReceivedTimestamp":"2026-01-01T00:00:00.000250Z",' +
        '"stageTimestamp":"2026-01-01T00:00:00.001500Z","annotations":{"a":"1","b":"2"}}',
    );
  });

  test('has an older form for people', () => {
    expect(legacyText(plain)).toBe(
      '2026-01-01T00:00:00.000250Z AUDIT: id="id" stage="ResponseComplete" ip="192.0.2.1" method="create" user="jane" ' +
        'groups="\\"a\\",\\"b\\"" as="<self>" asgroups="<lookup>" user-agent="kubectl" namespace="<none>" ' +
        'uri="/api/v1/namespaces/default/pods" response="201"',
    );
  });
});

describe('a log that grows', () => {
  let folder: string;
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const large = `${'x'.repeat(700_000)}\n`;

  async function write(count: number, options: { maxBackups?: number; maxAgeDays?: number; compress?: boolean }): Promise<string[]> {
    folder = mkdtempSync(join(tmpdir(), 'rotating-'));
    writeFileSync(join(folder, 'audit-2020-01-01T00-00-00.000.log'), 'old');
    writeFileSync(join(folder, 'other-2020-01-01T00-00-00.000.log'), 'of somebody else');
    const clock = new FakeClock();
    const settings = { maxAgeDays: 0, maxBackups: 0, compress: false, ...options };
    const file = new RotatingFile({ path: join(folder, 'audit.log'), maxMegabytes: 1, clock, log: silentLog, ...settings });
    for (let at = 0; at < count; at++) {
      file.write(large);
      await clock.advance(1_000);
    }
    await file.close();
    return readdirSync(folder)
      .filter((name) => name.startsWith('audit'))
      .toSorted();
  }

  test('is set aside under the time', async () => {
    expect(await write(3, {})).toEqual([
      'audit-2020-01-01T00-00-00.000.log',
      'audit-2026-01-01T00-00-01.000.log',
      'audit-2026-01-01T00-00-02.000.log',
      'audit.log',
    ]);
    expect(readFileSync(join(folder, 'audit.log'), 'utf8')).toBe(large);
    expect(statSync(join(folder, 'audit.log')).mode & 0o777).toBe(0o600);
  });

  test('leaves no more old ones than wanted', async () => {
    expect(await write(4, { maxBackups: 1 })).toEqual(['audit-2026-01-01T00-00-03.000.log', 'audit.log']);
    expect(readdirSync(folder)).toContain('other-2020-01-01T00-00-00.000.log');
  });

  test('leaves none that is too old', async () => {
    expect(await write(2, { maxAgeDays: 30 })).toEqual(['audit-2026-01-01T00-00-01.000.log', 'audit.log']);
  });

  test('is packed', async () => {
    const names = await write(2, { compress: true });
    expect(names).toEqual(['audit-2020-01-01T00-00-00.000.log.gz', 'audit-2026-01-01T00-00-01.000.log.gz', 'audit.log']);
    expect(gunzipSync(readFileSync(join(folder, names[1] ?? ''))).toString()).toBe(large);
  });

  test('refuses what no file could hold', async () => {
    await write(0, {});
    const file = new RotatingFile({
      path: join(folder, 'b.log'),
      maxAgeDays: 0,
      maxBackups: 0,
      maxMegabytes: 1,
      compress: false,
      clock: systemClock,
      log: silentLog,
    });
    expect(() => file.write('x'.repeat(1024 * 1024 + 1))).toThrow('write length 1048577 exceeds maximum file size 1048576');
  });
});

test('large events lose their objects, and what is still too large is lost', () => {
  const kept: AuditEvent[][] = [];
  const lost: string[] = [];
  const sink = truncatingSink(
    {
      process: (events) => {
        kept.push([...events]);
        return true;
      },
    },
    { maxEventBytes: 1_000, maxBatchBytes: 1_100 },
    (plugin, _error, events) => lost.push(...events.map(({ auditId }) => `${plugin} ${auditId}`)),
  );
  const body = JSON.stringify('x'.repeat(2_000));
  const events = [
    event({ auditId: 'small' }),
    event({ auditId: 'large', level: 'Request', requestObject: body }),
    event({ auditId: 'hopeless', userAgent: 'x'.repeat(2_000) }),
    event({ auditId: 'last' }),
  ];
  expect(sink.process(events)).toBe(true);
  expect(kept.map((batch) => batch.map(({ auditId }) => auditId))).toEqual([['small', 'large'], ['last']]);
  expect(kept[0]?.[1]).toMatchObject({ requestObject: undefined, annotations: { 'audit.k8s.io/truncated': 'true' } });
  expect(lost).toEqual(['truncate hopeless']);
});

describe('batches', () => {
  const options: BatchOptions = { bufferSize: 5, maxSize: 2, maxWaitMs: 1_000, throttle: undefined, maxSending: 1 };

  async function running(
    parts: Partial<BatchOptions>,
    act: (sink: BatchingSink, clock: FakeClock, batches: string[][]) => Promise<void>,
  ): Promise<{ batches: string[][]; lost: string[] }> {
    const clock = new FakeClock();
    const batches: string[][] = [];
    const lost: string[] = [];
    const sink = new BatchingSink({
      sink: {
        process: (events) => {
          batches.push(events.map(({ auditId }) => auditId));
          return true;
        },
      },
      options: { ...options, ...parts },
      failed: (_plugin, _error, events) => lost.push(...events.map(({ auditId }) => auditId)),
      clock,
    });
    const life = new AbortController();
    const ended = sink.run(life.signal, () => undefined);
    await act(sink, clock, batches);
    life.abort(new Error('the test is over'));
    await ended;
    sink.process([event({ auditId: 'late' })]);
    return { batches, lost };
  }

  test('go when they are full, or when they have waited', async () => {
    const { batches, lost } = await running({}, async (sink, clock, sent) => {
      for (const auditId of ['1', '2', '3']) sink.process([event({ auditId })]);
      await clock.advance(0);
      expect(sent).toEqual([['1', '2']]);
      await clock.advance(999);
      expect(sent).toEqual([['1', '2']]);
      await clock.advance(1);
      expect(sent).toEqual([['1', '2'], ['3']]);
    });
    expect(batches).toEqual([['1', '2'], ['3']]);
    expect(lost).toEqual(['late']);
  });

  test('that find no room are lost, and the rest goes before the end', async () => {
    const { batches, lost } = await running({}, (sink) => {
      expect(sink.process(['1', '2', '3', '4', '5', '6'].map((auditId) => event({ auditId })))).toBe(true);
      return Promise.resolve();
    });
    expect(batches).toEqual([['1', '2'], ['3', '4'], ['5']]);
    expect(lost).toEqual(['6', 'late']);
  });

  test('go no faster than allowed', async () => {
    await running({ maxSize: 1, maxWaitMs: 0, throttle: { qps: 1, burst: 2 } }, async (sink, clock, sent) => {
      for (const auditId of ['1', '2', '3', '4']) sink.process([event({ auditId })]);
      await clock.advance(0);
      expect(sent).toEqual([['1'], ['2']]);
      await clock.advance(1_000);
      expect(sent).toEqual([['1'], ['2'], ['3']]);
    });
  });
});

describe('a webhook', () => {
  let server: Server | undefined;
  afterEach(() => new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve))));

  async function send(codes: number[]): Promise<{ kept: boolean; bodies: unknown[]; paths: string[]; lost: number }> {
    const bodies: unknown[] = [];
    const paths: string[] = [];
    server = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.on('end', () => {
        bodies.push(JSON.parse(text));
        paths.push(`${request.method} ${request.url}`);
        response.writeHead(codes.shift() ?? 500);
        response.end();
      });
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    let lost = 0;
    const sink = new WebhookSink({
      endpoint: { server: `http://127.0.0.1:${port}/audit`, credentials: { kind: 'none' } },
      initialBackoffMs: 1,
      failed: (_plugin, _error, events) => (lost += events.length),
      clock: systemClock,
    });
    const life = new AbortController();
    const ended = sink.run(life.signal, () => undefined);
    const kept = await sink.process([plain, plain]);
    life.abort(new Error('the test is over'));
    await ended;
    return { kept, bodies, paths, lost };
  }

  test('gets a list of events', async () => {
    const { kept, bodies, paths } = await send([200]);
    expect([kept, paths]).toEqual([true, ['POST /audit']]);
    expect(bodies).toMatchObject([{ kind: 'EventList', apiVersion: 'audit.k8s.io/v1', items: [{ auditID: 'id' }, { auditID: 'id' }] }]);
  });

  test('is asked again when it fails, up to five times', async () => {
    expect(await send([503, 200])).toMatchObject({ kept: true, lost: 0, paths: ['POST /audit', 'POST /audit'] });
    const failed = await send([]);
    expect(failed).toMatchObject({ kept: false, lost: 2 });
    expect(failed.paths).toHaveLength(5);
  });
});
