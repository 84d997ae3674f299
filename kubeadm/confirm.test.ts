import { PassThrough, Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { confirm } from './confirm.ts';
import { recordedHost } from './testing.ts';

const answered = (...words: readonly string[]): Promise<void> =>
  confirm(recordedHost(), 'Sure? ', 'not done', Readable.from(words, { objectMode: false }));

test.each(['y\n', 'Y\n', ' yes \n', 'y', 'y\nn\n'])('%j goes on', async (answer) => {
  await expect(answered(answer)).resolves.toBeUndefined();
});

test.each(['n\n', '\n', 'yeah\n', 'n\ny\n'])('%j does not', async (answer) => {
  await expect(answered(answer)).rejects.toThrow('not done');
});

test('where there is nobody to ask, nothing is done', async () => {
  await expect(answered()).rejects.toThrow('not done');
});

test('who is stopped while he asks ends', async () => {
  const life = new AbortController();
  const asking = confirm({ ...recordedHost(), signal: life.signal }, 'Sure? ', 'not done', new PassThrough());
  life.abort(new Error('received SIGINT'));
  await expect(asking).rejects.toThrow('received SIGINT');
});
