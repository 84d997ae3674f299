import { describe, expect, test } from 'vitest';
import { aDeployment, aSet, type SetTraits } from '../builders.ts';
import { currentSetAnnotations, maxRevision, newSetAnnotations, revisionOf } from './revisions.ts';

const prefix = 'deployment.kubernetes.io/';
const annotated = (annotations: Record<string, string>) => aDeployment({}, { metadata: { name: 'web', uid: 'deployment', annotations } });

test.each<[text: string | undefined, revision: number]>([
  [undefined, 0],
  ['7', 7],
  ['', 0],
  ['seven', 0],
  ['-1', 0],
])('revision %j is %i', (text, revision) => {
  expect(revisionOf(aSet(text === undefined ? {} : { annotations: { [`${prefix}revision`]: text } }))).toBe(BigInt(revision));
});

test('a revision that a double cannot hold is counted on exactly', () => {
  const adopted = aSet({ annotations: { [`${prefix}revision`]: '3546343826724305832' } });
  expect(newSetAnnotations(aDeployment(), maxRevision([adopted]) + 1n)[`${prefix}revision`]).toBe('3546343826724305833');
  expect(revisionOf(aSet({ annotations: { [`${prefix}revision`]: '9223372036854775808' } }))).toBe(0n);
});

test('the highest revision of some sets', () => {
  expect(maxRevision([])).toBe(0n);
  expect(maxRevision([aSet({ revision: 2 }), aSet({ revision: 11 }), aSet()])).toBe(11n);
});

test('a new set gets the Deployment’s annotations, but for those that say something of the Deployment itself', () => {
  const deployment = annotated({
    'example.com/team': 'blue',
    'kubernetes.io/change-cause': 'web:2',
    'kubectl.kubernetes.io/last-applied-configuration': '{}',
    [`${prefix}revision`]: '4',
    [`${prefix}desired-replicas`]: '9',
  });
  expect(newSetAnnotations(deployment, 5n)).toEqual({
    'example.com/team': 'blue',
    'kubernetes.io/change-cause': 'web:2',
    [`${prefix}revision`]: '5',
    [`${prefix}desired-replicas`]: '3',
    [`${prefix}max-replicas`]: '4',
  });
});

describe('a set that becomes current', () => {
  const history = `${prefix}revision-history`;
  const of = (traits: SetTraits, revision: number) => currentSetAnnotations(aDeployment(), aSet(traits), BigInt(revision));

  test('again, gets the next revision and remembers those it had', () => {
    expect(of({ revision: 1 }, 3)).toEqual({ [`${prefix}revision`]: '3', [history]: '1' });
    expect(of({ revision: 3, annotations: { [history]: '1' } }, 6)).toEqual({ [`${prefix}revision`]: '6', [history]: '1,3' });
  });

  test('and has no revision yet, remembers none', () => {
    expect(of({}, 2)).toEqual({ [`${prefix}revision`]: '2' });
  });

  test('and has the highest, keeps it although older sets are gone', () => {
    expect(of({ revision: 8 }, 3)).toEqual({ [`${prefix}revision`]: '8' });
  });

  test('forgets the first ones when the list grows too long', () => {
    const long = Array.from({ length: 500 }, (_, at) => String(at + 1_000)).join(',');
    const after = of({ revision: 1_500, annotations: { [history]: long } }, 1_501)[history] ?? '';
    expect(after.length).toBeLessThanOrEqual(2_000);
    expect(after.endsWith(',1499,1500')).toBe(true);
    expect(after.startsWith('1000,')).toBe(false);
  });

  test('takes over what changed in the Deployment and keeps what is its own', () => {
    const set = aSet({ revision: 2, annotations: { own: 'a', cause: 'before' } });
    expect(currentSetAnnotations(annotated({ cause: 'after' }), set, 2n)).toEqual({ [`${prefix}revision`]: '2', own: 'a', cause: 'after' });
  });
});
