import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { terminationMessagePathAnnotation, terminationMessagePolicyAnnotation } from '../runtime/labels.ts';
import { terminationMessage } from './termination-message.ts';
import { seen } from './testing.ts';

const { signal } = new AbortController();
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'message-'));
});
afterEach(async () => await rm(folder, { recursive: true }));

async function said(content: string | undefined, { containers = 1, policy = 'File', log = '', exitCode = 1 } = {}): Promise<string> {
  const hostPath = join(folder, 'message');
  if (content !== undefined) await writeFile(hostPath, content);
  const annotations = { [terminationMessagePathAnnotation]: '/m', [terminationMessagePolicyAnnotation]: policy };
  const container = seen('c', exitCode, { annotations, mounts: [{ containerPath: '/m', hostPath, readOnly: false }] });
  const logs = async function* (): AsyncIterable<Uint8Array> {
    yield Buffer.from(log);
  };
  return await terminationMessage(container, containers, { logs }, signal);
}

test('is what the file says', async () => expect(await said('bye')).toBe('bye'));
test('is the end of a file that is too long', async () => expect(await said(`x${'a'.repeat(4_095)}z`)).toBe(`${'a'.repeat(4_095)}z`));
test('of a pod with many containers is shorter: the beginning of that end', async () =>
  expect(await said(`x${'a'.repeat(4_095)}z`, { containers: 12 })).toBe('a'.repeat(1_024)));
test('is nothing where nothing was written', async () => expect([await said(undefined), await said('')]).toEqual(['', '']));
test('is the end of the log where the policy says so and it failed', async () => {
  const policy = 'FallbackToLogsOnError';
  const log = `x${'a'.repeat(2_047)}z`;
  expect(await said('', { policy, log })).toBe(`${'a'.repeat(2_047)}z`);
  expect(await said('', { policy, log, containers: 24 })).toBe('a'.repeat(512));
  expect(await said('bye', { policy, log })).toBe('bye');
  expect(await said('', { policy, log, exitCode: 0 })).toBe('');
});
