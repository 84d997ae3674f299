import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLog } from '#base/log.ts';
import { SimulatedRuntime } from '../runtime/simulated/simulated-runtime.ts';
import { bytesToFree, type Candidate, outdated, removable } from './gc-plan.ts';
import { ImageCollector } from './image-collector.ts';
import { ImagePuller } from './image-puller.ts';
import { PulledImages } from './pulled-images.ts';

const policy = { highPercent: 85, lowPercent: 80, minAgeMs: 120_000, maxAgeMs: 0 };
const minuteMs = 60_000;

test.each<[string, number, number, number | undefined]>([
  ['room enough', 100, 16, 0],
  ['at the threshold', 100, 15, 5],
  ['full', 1_000, 0, 200],
  ['a disk without size', 0, 0, undefined],
])('how much must go: %s', (_, totalBytes, availableBytes, expected) => {
  expect(bytesToFree(policy, { totalBytes, availableBytes })).toBe(expected);
});

test('100 % turns it off', () => {
  expect(bytesToFree({ ...policy, highPercent: 100 }, { totalBytes: 100, availableBytes: 0 })).toBe(0);
});

test('the longest unused goes first, what is young or used stays', () => {
  const image = (reference: string, pulledMs: number, lastUsedMs: number, isUsed = false): Candidate => {
    return { reference, sizeBytes: 1, pulledMs, lastUsedMs, isUsed };
  };
  const all = [image('recent', 0, 9), image('used', 0, 0, true), image('later', 2, 1), image('first', 1, 1), image('young', minuteMs, 0)];
  expect(removable(all, policy, 2 * minuteMs + 2).map(({ reference }) => reference)).toEqual(['first', 'later', 'recent']);
});

test('what nothing has needed for too long goes, once the kubelet has run for as long', () => {
  const image = (reference: string, lastUsedMs: number, isUsed = false): Candidate => {
    return { reference, sizeBytes: 1, pulledMs: 0, lastUsedMs, isUsed };
  };
  const aged = { ...policy, maxAgeMs: 10 * minuteMs };
  const all = [image('never', 0), image('used', 0, true), image('lately', 5 * minuteMs), image('long ago', minuteMs)];
  const names = (nowMs: number, beganMs: number) => outdated(all, aged, nowMs, beganMs).map(({ reference }) => reference);
  expect(names(12 * minuteMs, 0)).toEqual(['never', 'long ago']);
  expect(names(12 * minuteMs, 2 * minuteMs)).toEqual([]);
  expect(outdated(all, policy, 100 * minuteMs, 0)).toEqual([]);
});

describe('a node whose disk is full', () => {
  let folder: string;
  const life = new AbortController();
  const { signal } = life;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'images-'));
  });
  afterEach(async () => await rm(folder, { recursive: true, force: true }));

  test('loses images that its kubelet pulled and nothing needs, never what was there before', async () => {
    const clock = new FakeClock();
    const runtime = new SimulatedRuntime(clock, { anyImage: true, images: ['own:latest'] });
    const path = join(folder, 'pulled.json');
    const pulled = new PulledImages(path, silentLog);
    const puller = new ImagePuller({ images: runtime.images, clock, pulled });
    for (const image of ['a', 'b', 'c', 'own']) {
      await puller.ensure({ podUid: 'u', image, policy: 'Always', secrets: [], notify: () => undefined }, signal);
    }
    expect(Object.keys(JSON.parse(await readFile(path, 'utf8')) as object)).toEqual(['a:latest', 'b:latest', 'c:latest']);
    const pod = { name: 'p', namespace: 'ns', uid: 'u' };
    const sandbox = await runtime.createSandbox({ pod, attempt: 0, hostname: 'p' });
    await runtime.createContainer(sandbox.id, {
      name: 'c',
      attempt: 0,
      image: 'b',
      imageId: (await runtime.images.find('b:latest'))?.id ?? '',
    });

    const warnings: string[] = [];
    const after = new PulledImages(path, silentLog);
    const stop = new AbortController();
    // What was there at each look at the disk: at the second one the first pass is over, at the third the second.
    const looks: string[][] = [];
    const collector = new ImageCollector({
      runtime,
      pulled: after,
      policy,
      volumeImages: () => ['c'],
      disk: async () => {
        looks.push((await runtime.images.list()).flatMap(({ tags }) => tags));
        return { totalBytes: 100, availableBytes: 10 };
      },
      warn: (reason, message) => warnings.push(`${reason}: ${message}`),
      clock,
      log: silentLog,
    });
    const ended = collector.run(stop.signal, () => undefined);
    while (looks.length < 3) {
      if (looks.length > 0) await clock.advance(300_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    stop.abort();
    await clock.advance(300_000);
    await ended;
    const all = ['own:latest', 'a:latest', 'b:latest', 'c:latest'];
    // At the first pass all are too young.
    expect(looks.slice(0, 3)).toEqual([all, all, ['own:latest', 'b:latest', 'c:latest']]);
    const words =
      'Failed to garbage collect required amount of images. Attempted to free 10 bytes, but only found 0 bytes eligible to free.';
    expect(warnings[0]).toBe(`FreeDiskSpaceFailed: ${words}`);
    expect(after.entries().map(([reference]) => reference)).toEqual(['b:latest', 'c:latest']);
  });
});
