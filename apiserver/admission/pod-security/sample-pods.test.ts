import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtinKinds } from '#api/kinds.ts';
import { aBody, aContext, aKind, startRegistry, type TestRegistry } from '../../registry/testing.ts';
import type { GenericRegistry } from '../../registry/registry.ts';
import type { CheckedLevel } from './check.ts';
import { openPodSecurity, podSecurity } from './plugin.ts';
import { changed, minimalPod, type SamplePod, type Samples } from './sample-pods.ts';
import { privilegeSamples } from './sample-privileges.ts';
import { profileSamples } from './sample-profiles.ts';
import { checks, violations, violationsText } from './standards.ts';

const samples = [...privilegeSamples, ...profileSamples];
const newestMinor = 36;
const levels = ['baseline', 'restricted'] as const;

/** What says something about pods of a level in a version. */
function samplesOf(level: CheckedLevel, minor: number): Samples[] {
  return samples.filter((one) => {
    if (minor < one.since || minor >= (one.until ?? Infinity)) return false;
    return level === 'restricted' ? minor < (one.onlyBaselineSince ?? Infinity) : one.level === 'baseline';
  });
}

function textOf(level: CheckedLevel, minor: number, { spec, metadata }: SamplePod): string {
  return violationsText(violations({ level, minor }, spec, metadata));
}

test('every check has good and bad pods', () => {
  for (const { id } of checks) {
    const own = samples.filter(({ check }) => check === id);
    expect(own.length, id).toBeGreaterThan(0);
    expect(own.flatMap(({ bad }) => bad).length, id).toBeGreaterThan(0);
  }
});

describe.each(levels)('the %s of every version', (level) => {
  test.each(Array.from({ length: newestMinor + 1 }, (_, minor) => minor))('1.%d', (minor) => {
    const minimal = minimalPod(level, minor);
    expect(textOf(level, minor, minimal)).toBe('');
    for (const { check, good, bad } of samplesOf(level, minor)) {
      for (const change of good) expect(textOf(level, minor, changed(minimal, change)), check).toBe('');
      for (const [change, text] of bad) expect(textOf(level, minor, changed(minimal, change)), check).toBe(text);
    }
  });
});

describe('where the latest standards are enforced', () => {
  let running: TestRegistry;
  let registry: GenericRegistry;

  beforeAll(async () => {
    const clock = { nowMs: () => 0, monotonicMs: () => 0 } as never;
    running = await startRegistry({
      kinds: builtinKinds,
      admission: [podSecurity({ registry: () => registry, clock, settings: openPodSecurity })],
    });
    ({ registry } = running);
    for (const level of levels) {
      const metadata = { name: level, labels: { 'pod-security.kubernetes.io/enforce': level } };
      const object = { apiVersion: 'v1', kind: 'Namespace', metadata };
      await registry.create(aKind('namespaces'), aBody(object), aContext({ namespace: '' }));
    }
  });

  afterAll(async () => {
    await running[Symbol.asyncDispose]();
  });

  /** Undefined: it is let in. */
  const refusal = async (level: CheckedLevel, pod: SamplePod): Promise<string | undefined> => {
    const context = aContext({ namespace: level, dryRun: true });
    try {
      await registry.create(aKind('pods'), aBody({ apiVersion: 'v1', kind: 'Pod', ...pod }), context);
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  };

  test.each(levels.flatMap((level) => samplesOf(level, newestMinor).map((one) => [level, one.check, one] as const)))(
    'pods of %s: %s',
    async (level, _, { good, bad }) => {
      const minimal = minimalPod(level, newestMinor);
      expect(await refusal(level, minimal)).toBeUndefined();
      for (const change of good) expect(await refusal(level, changed(minimal, change))).toBeUndefined();
      for (const [change, text, whenCreated = text] of bad) {
        const violates = `pods "sample" is forbidden: violates PodSecurity "${level}:latest": ${whenCreated}`;
        expect(await refusal(level, changed(minimal, change))).toBe(whenCreated.startsWith('Pod ') ? whenCreated : violates);
      }
    },
  );
});
