// What kubectl may take over without force when it moves from applying on its side to applying on the server, case by case as upstream
// tests it (lastappliedmanager_test.go): what lies in the object as it was applied last.
import { expect, test } from 'vitest';
import type { JsonObject, KubeObject } from '../meta/object.ts';
import { ApiError } from '../meta/status.ts';
import { lastAppliedAnnotation } from './apply.ts';
import { cloneJson } from './json-object.ts';
import { ownership } from './managed-fields.ts';
import { deploymentSchema } from './testing.ts';

const ignored = { '': ['status'], status: ['spec'] };
const deployments = ownership({ schema: deploymentSchema, apiVersion: 'apps/v1', kind: 'Deployment', ignored });

interface Parts {
  readonly label?: string;
  readonly replicas?: number;
  readonly selector?: string;
  readonly podLabel?: string;
  /** By the container's name. */
  readonly images?: Readonly<Record<string, string>>;
}

function deployment({ label, replicas, selector, podLabel, images }: Parts, apiVersion = 'apps/v1'): JsonObject {
  const labels = (app: string | undefined): JsonObject => (app === undefined ? {} : { labels: { app } });
  const template = images && {
    metadata: labels(podLabel),
    spec: { containers: Object.entries(images).map(([name, image]) => ({ name, image })) },
  };
  return {
    apiVersion,
    kind: 'Deployment',
    metadata: { name: 'web', ...labels(label) },
    spec: {
      ...(replicas === undefined ? {} : { replicas }),
      ...(selector === undefined ? {} : { selector: { matchLabels: { app: selector } } }),
      ...(template === undefined ? {} : { template }),
    },
  };
}

const plain: Parts = { label: 'a', replicas: 3, selector: 'a', podLabel: 'a', images: { c: 'i' } };
const { label: _label, ...unlabelled } = plain;
const { selector: _selector, ...unselecting } = plain;
const image = '.spec.template.spec.containers[name="c"].image';
const label = '.metadata.labels.app';

test.each<[name: string, manager: string, last: string | JsonObject, live: Parts, applied: Parts, conflicts: string[]]>([
  [
    'what somebody changed, added or was never applied conflicts; what lies there as it was applied does not',
    'kubectl',
    deployment({ ...unlabelled, images: { c: 'i1', other: 'i' } }),
    { ...plain, replicas: 100, images: { c: 'i2' } },
    { label: 'b', replicas: 333, selector: 'b', podLabel: 'b', images: { c: 'new' } },
    [label, '.spec.replicas', image],
  ],
  [
    'a change back to what was applied conflicts',
    'kubectl',
    deployment(plain),
    { ...plain, replicas: 100 },
    { ...unselecting, label: 'b' },
    ['.spec.replicas'],
  ],
  ['the same', 'kubectl', deployment(plain), plain, plain, []],
  [
    'other values for all that was applied',
    'kubectl',
    deployment(plain),
    plain,
    { ...plain, label: 'b', replicas: 333, selector: 'b', podLabel: 'b' },
    [],
  ],
  [
    'another manager takes nothing over',
    'other',
    deployment({ ...plain, images: { c: 'i1' } }),
    { ...plain, replicas: 100, images: { c: 'i2' } },
    { label: 'b', replicas: 333, selector: 'a', podLabel: 'b', images: { c: 'new' } },
    [label, '.spec.replicas', '.spec.template.metadata.labels.app', image],
  ],
  ['another image', 'kubectl', deployment(plain), plain, { ...plain, label: 'b', images: { c: 'new' } }, []],
  [
    'another image, by another manager',
    'other',
    deployment({ ...plain, replicas: 100 }),
    { ...plain, replicas: 100 },
    { ...plain, label: 'b', images: { c: 'new' } },
    [label, '.spec.replicas', image],
  ],
  [
    'a record in a version that is gone',
    'kubectl',
    deployment({ replicas: 3 }, 'extensions/v1beta1'),
    { replicas: 3 },
    { replicas: 100 },
    ['.spec.replicas'],
  ],
  [
    'a record of something else',
    'kubectl',
    { apiVerison: 'foo', kind: 'bar', spec: 'none' },
    { replicas: 3 },
    { replicas: 100 },
    ['.spec.replicas'],
  ],
  ['an empty record', 'kubectl', '', { replicas: 3 }, { replicas: 100 }, ['.spec.replicas']],
])('%s', (_, manager, last, live, applied, conflicts) => {
  const text = typeof last === 'string' ? last : `${JSON.stringify(last)}\n`;
  const before = deployment(live) as unknown as KubeObject;
  before.metadata.annotations = { [lastAppliedAnnotation]: text };
  deployments.onUpdate(before, undefined, { manager: 'by-client', subresource: '', nowMs: 0 });
  const apply = (): unknown =>
    deployments.onApply(cloneJson(deployment(applied)) as JsonObject, before, { manager, subresource: '', nowMs: 1_000, force: false });
  if (conflicts.length === 0) {
    expect(apply()).toMatchObject({ spec: deployment(applied)['spec'] });
    return;
  }
  let refusal: unknown;
  try {
    apply();
  } catch (error) {
    refusal = error;
  }
  if (!(refusal instanceof ApiError)) throw new Error('a conflict is expected');
  const { causes } = refusal.details as { causes: { field: string }[] };
  expect(causes.map(({ field }) => field)).toEqual(conflicts);
});
