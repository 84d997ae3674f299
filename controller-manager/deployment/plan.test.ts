import { describe, expect, test } from 'vitest';
import type { Deployment } from '#api/apps/deployment.ts';
import { aDeployment, aSet, aTemplate, nowMs, type SetTraits } from '../builders.ts';
import { planDeployment } from './plan.ts';
import { viewOf } from './view.ts';

const noPods = () => false;

/** Steps in short: `create 3 rev 2`, `web-1 to 5`, `sync web-1 rev 3`, `delete web-1`. */
function plan(spec: Partial<Deployment['spec']>, sets: readonly SetTraits[], metadata: object = {}) {
  const deployment = aDeployment(spec, { metadata: { name: 'web', uid: 'deployment', ...metadata } });
  const { steps, revision } = planDeployment(
    viewOf(
      deployment,
      sets.map((traits) => aSet(traits)),
      nowMs,
    ),
    noPods,
  );
  const texts = steps.map((step) => {
    if (step.do === 'create') return `create ${step.size} rev ${step.revision}`;
    const { name } = step.set.metadata;
    if (step.do === 'scale') return `${name} to ${step.size}`;
    return step.do === 'sync' ? `sync ${name} rev ${step.annotations['deployment.kubernetes.io/revision']}` : `delete ${name}`;
  });
  return { steps: texts, revision: revision === undefined ? undefined : Number(revision) };
}

const remembered = { desired: 3, max: 4 };
const first: SetTraits = { name: 'a', image: 'web:1', revision: 1, ageSeconds: 90, ...remembered };
const second: SetTraits = { name: 'b', image: 'web:2', revision: 2, ageSeconds: 60, ...remembered };

test.each<[why: string, spec: Partial<Deployment['spec']>, sets: SetTraits[], steps: string[], revision: number | undefined]>([
  ['a new Deployment', {}, [], ['create 3 rev 1'], 1],
  ['another template', { template: aTemplate('web:2') }, [{ ...first, size: 3 }], ['create 1 rev 2'], 2],
  ['a template that was there before', { template: aTemplate('web:1') }, [first, { ...second, size: 3 }], ['sync a rev 3'], 3],
  ['another minReadySeconds', { minReadySeconds: 5 }, [{ ...first, size: 3 }], ['sync a rev 1'], 1],
  ['another size', { replicas: 5 }, [{ ...first, size: 3 }], ['a to 5'], 1],
  ['paused, another template', { paused: true, template: aTemplate('web:2') }, [{ ...first, size: 3 }], [], undefined],
  ['paused, another size', { paused: true, replicas: 5 }, [{ ...first, size: 3 }], ['a to 5'], 1],
  ['settled', {}, [{ ...first, size: 3 }], [], 1],
  [
    'Recreate, another template',
    { strategy: { type: 'Recreate' }, template: aTemplate('web:2') },
    [{ ...first, size: 3 }],
    ['a to 0'],
    undefined,
  ],
  ['Recreate, the way is free', { strategy: { type: 'Recreate' }, template: aTemplate('web:2') }, [first], ['create 3 rev 2'], 2],
  ['Recreate, with a set from before', { strategy: { type: 'Recreate' }, template: aTemplate('web:2') }, [first, second], ['b to 3'], 2],
])('%s', (_why, spec, sets, steps, revision) => {
  expect(plan(spec, sets)).toEqual({ steps, revision });
});

test('a Deployment that goes does nothing more', () => {
  expect(plan({}, [], { deletionTimestamp: '2026-01-01T00:00:00Z' })).toEqual({ steps: [], revision: undefined });
});

describe('old sets', () => {
  const old = [1, 2, 3, 4].map((revision) => ({ name: `r${revision}`, image: `web:${revision}`, revision, ageSeconds: 10 - revision }));
  const done: SetTraits = { ...second, name: 'now', image: 'web:now', revision: 5, size: 3 };
  const spec = (revisionHistoryLimit: number) => ({ revisionHistoryLimit, template: aTemplate('web:now') });

  test('beyond the limit go, the lowest revisions first', () => {
    expect(plan(spec(2), [...old, done]).steps).toEqual(['delete r1', 'delete r2']);
    expect(plan(spec(0), [...old, done]).steps.length).toBe(4);
    expect(plan(spec(4), [...old, done]).steps).toEqual([]);
  });

  test('stay while they have pods or the rollout goes on', () => {
    const [r1 = {}, ...rest] = old;
    expect(plan(spec(2), [{ ...r1, replicas: 1 }, ...rest, done]).steps).toEqual([]);
    expect(plan(spec(2), [...old, { ...done, available: 2 }]).steps).toEqual([]);
  });
});
