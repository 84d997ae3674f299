// Plugins that look at more than one node: where pods go beside other pods.
import { describe, expect, test } from 'vitest';
import type { Pod } from '#api/core/pod/pod.ts';
import type { V1Affinity, V1PodAffinityTerm, V1PodSpec, V1TopologySpreadConstraint } from '#api/generated/types.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { decide } from '../framework/decide.ts';
import { podInfoOf } from '../framework/pod-info.ts';
import { sampleNode, samplePod } from '../framework/sample-objects.ts';
import { ClusterState } from '../snapshot/cluster-state.ts';
import { defaultProfile } from './default-profile.ts';

const [web, db] = [{ app: 'web' }, { app: 'db' }];

function podOf(name: string, labels: Record<string, string>, spec: Partial<V1PodSpec> = {}, namespace = 'default'): Pod {
  const pod = samplePod(name, spec);
  return { ...pod, metadata: { ...pod.metadata, namespace, labels } };
}

/** Nodes a1, a2 in zone a and b1 in zone b, and pods on them. */
function clusterOf(placed: Readonly<Record<string, readonly Pod[]>> = {}, extraLabels: Record<string, string> = {}): ClusterState {
  const state = new ClusterState(new FakeClock());
  for (const name of ['a1', 'a2', 'b1']) state.setNode(sampleNode(name, { labels: { zone: name.charAt(0), host: name, ...extraLabels } }));
  for (const name of ['default', 'other']) state.setNamespace(name, { name });
  for (const [nodeName, pods] of Object.entries(placed)) {
    for (const pod of pods) state.setPod({ ...pod, spec: { ...pod.spec, nodeName } });
  }
  return state;
}

/** The nodes that a pod may go to (by filling them in turn), or the words of the refusal. */
function choices(pod: Pod, cluster: ClusterState): string {
  const found = new Set<string>();
  let words = '';
  for (const random of [0.99, 0.6, 0.4, 0.01]) {
    const decision = decide({ profile: defaultProfile(), pod: podInfoOf(pod), cluster, startIndex: 0, random: () => random });
    if (decision.kind === 'node') found.add(decision.nodeName);
    else words = decision.message.slice(0, decision.message.indexOf('. no new'));
  }
  return words === '' ? [...found].sort().join(' ') : words;
}

const term = (labels: Record<string, string>, topologyKey: string, more: Partial<V1PodAffinityTerm> = {}): V1PodAffinityTerm => ({
  labelSelector: { matchLabels: labels },
  topologyKey,
  ...more,
});
const near = (...terms: V1PodAffinityTerm[]): V1Affinity => ({ podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } });
const apart = (...terms: V1PodAffinityTerm[]): V1Affinity => ({
  podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms },
});

describe('InterPodAffinity', () => {
  test.each<{ name: string; pod: Pod; placed: Record<string, Pod[]>; goes: string }>([
    { name: 'near, by host', pod: podOf('p', web, { affinity: near(term(db, 'host')) }), placed: { a2: [podOf('d', db)] }, goes: 'a2' },
    { name: 'near, by zone', pod: podOf('p', web, { affinity: near(term(db, 'zone')) }), placed: { b1: [podOf('d', db)] }, goes: 'b1' },
    {
      name: 'near what is nowhere',
      pod: podOf('p', web, { affinity: near(term(db, 'zone')) }),
      placed: {},
      goes: "0/3 nodes are available: 3 node(s) didn't match pod affinity rules",
    },
    {
      name: 'the first of a group that wants its own kind',
      pod: podOf('p', web, { affinity: near(term(web, 'zone')) }),
      placed: {},
      goes: 'a1 a2 b1',
    },
    {
      name: 'near pods of another namespace: not by default',
      pod: podOf('p', web, { affinity: near(term(db, 'zone')) }),
      placed: { b1: [podOf('d', db, {}, 'other')] },
      goes: "0/3 nodes are available: 3 node(s) didn't match pod affinity rules",
    },
    {
      name: 'near pods of a named namespace',
      pod: podOf('p', web, { affinity: near(term(db, 'zone', { namespaces: ['other'] })) }),
      placed: { b1: [podOf('d', db, {}, 'other')] },
      goes: 'b1',
    },
    {
      name: 'near pods of selected namespaces',
      pod: podOf('p', web, { affinity: near(term(db, 'zone', { namespaceSelector: { matchLabels: { name: 'other' } } })) }),
      placed: { b1: [podOf('d', db, {}, 'other')] },
      goes: 'b1',
    },
    { name: 'apart, by zone', pod: podOf('p', web, { affinity: apart(term(db, 'zone')) }), placed: { a1: [podOf('d', db)] }, goes: 'b1' },
    {
      name: 'apart from what is everywhere',
      pod: podOf('p', web, { affinity: apart(term(db, 'zone')) }),
      placed: { a1: [podOf('d', db)], b1: [podOf('e', db)] },
      goes: "0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules",
    },
    {
      name: 'what is there wants to be apart from it',
      pod: podOf('p', web),
      placed: { a1: [podOf('d', db, { affinity: apart(term(web, 'zone')) })] },
      goes: 'b1',
    },
    {
      name: 'what is everywhere wants to be apart from it',
      pod: podOf('p', web),
      placed: {
        a1: [podOf('d', db, { affinity: apart(term(web, 'zone')) })],
        b1: [podOf('e', db, { affinity: apart(term(web, 'zone')) })],
      },
      goes: "0/3 nodes are available: 3 node(s) didn't satisfy existing pods anti-affinity rules",
    },
    {
      name: 'near and apart at once',
      pod: podOf('p', web, { affinity: { ...near(term(db, 'zone')), ...apart(term(db, 'host')) } }),
      placed: { a1: [podOf('d', db)] },
      goes: 'a2',
    },
  ])('$name', ({ pod, placed, goes }) => {
    expect(choices(pod, clusterOf(placed))).toBe(goes);
  });

  test('a preference decides between nodes that fit', () => {
    const weighted = [{ weight: 100, podAffinityTerm: term(db, 'zone') }];
    const placed = { b1: [podOf('d', db)] };
    expect(
      choices(
        podOf('p', web, { affinity: { podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: weighted } } }),
        clusterOf(placed),
      ),
    ).toBe('b1');
    expect(
      choices(
        podOf('p', web, { affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: weighted } } }),
        clusterOf(placed),
      ),
    ).toBe('a1 a2');
  });

  test('a pod that is gone wants nothing any more', () => {
    const cluster = clusterOf({ a1: [podOf('d', db, { affinity: apart(term(web, 'zone')) })] });
    cluster.removePod('uid-d');
    expect(choices(podOf('p', web), cluster)).toBe('a1 a2 b1');
  });
});

describe('PodTopologySpread', () => {
  const spread = (more: Partial<V1TopologySpreadConstraint> = {}): Partial<V1PodSpec> => ({
    topologySpreadConstraints: [
      { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: web }, ...more },
    ],
  });
  const one = { a1: [podOf('w1', web)] };

  test.each<{ name: string; pod: Pod; placed: Record<string, Pod[]>; goes: string }>([
    { name: 'nothing there yet', pod: podOf('p', web, spread()), placed: {}, goes: 'a1 a2 b1' },
    { name: 'one in zone a: the next goes to b', pod: podOf('p', web, spread()), placed: one, goes: 'b1' },
    {
      name: 'a larger skew',
      pod: podOf('p', web, spread({ maxSkew: 2 })),
      placed: { a1: [podOf('w1', web), podOf('w2', web)] },
      goes: 'b1',
    },
    {
      name: 'pods that are not meant do not count',
      pod: podOf('p', web, spread()),
      placed: { a1: [podOf('d', db)], a2: [podOf('d2', db)] },
      goes: 'b1',
    },
    {
      name: 'nor do those of other namespaces',
      pod: podOf('p', web, spread({ topologyKey: 'host' })),
      placed: { b1: [podOf('w', web, {}, 'other')] },
      goes: 'a1 a2',
    },
    {
      name: 'too few places',
      pod: podOf('p', web, spread({ minDomains: 3 })),
      placed: { a1: [podOf('w1', web)], b1: [podOf('w2', web)] },
      goes: "0/3 nodes are available: 3 node(s) didn't match pod topology spread constraints",
    },
    {
      name: 'no such label',
      pod: podOf('p', web, spread({ topologyKey: 'rack' })),
      placed: {},
      goes: "0/3 nodes are available: 3 node(s) didn't match pod topology spread constraints (missing required label)",
    },
    {
      name: 'nodes that the pod cannot use are no places',
      pod: podOf('p', web, { ...spread(), nodeSelector: { zone: 'a' } }),
      placed: one,
      goes: 'a2',
    },
    {
      name: 'only pods of its own revision count',
      pod: podOf('p', { ...web, rev: '2' }, spread({ matchLabelKeys: ['rev'] })),
      placed: { b1: [podOf('w1', { ...web, rev: '1' })], a1: [podOf('w2', { ...web, rev: '2' })] },
      goes: 'b1',
    },
    {
      name: 'a soft constraint only prefers',
      pod: podOf('p', web, spread({ whenUnsatisfiable: 'ScheduleAnyway' })),
      placed: { a1: [podOf('w1', web)], a2: [podOf('w2', web)] },
      goes: 'b1',
    },
  ])('$name', ({ pod, placed, goes }) => {
    expect(choices(pod, clusterOf(placed))).toBe(goes);
  });
});
