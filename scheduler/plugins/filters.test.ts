import { describe, expect, test } from 'vitest';
import type { V1Affinity, V1PodSpec, V1Taint, V1Toleration } from '#api/generated/types.ts';
import { podInfoOf } from '../framework/pod-info.ts';
import type { Plugin } from '../framework/plugin.ts';
import { emptyCluster, nodeInfo, podWanting, sampleNode, samplePod } from '../framework/sample-objects.ts';
import { nodeAffinity } from './node-affinity.ts';
import { nodeName } from './node-name.ts';
import { nodePorts } from './node-ports.ts';
import { nodeResourcesFit } from './node-resources-fit.ts';
import { nodeUnschedulable } from './node-unschedulable.ts';
import { notSupported } from './not-supported.ts';
import { schedulingGates } from './scheduling-gates.ts';
import { taintToleration } from './taint-toleration.ts';

/** What a plugin says of one pod on one node: 'fits' or kind and reasons. */
function verdictOf(plugin: Plugin, spec: Partial<V1PodSpec>, node: ReturnType<typeof nodeInfo>): string {
  const pod = podInfoOf(samplePod('p', spec));
  const state = plugin.prepare?.(pod, { ...emptyCluster, nodes: [node], node: () => node });
  const verdict = plugin.reject?.(state, pod) ?? (plugin.filters?.(state) === false ? undefined : plugin.filter?.(node, state, pod));
  if (verdict === undefined || verdict.kind === 'fits') return 'fits';
  return `${verdict.kind}: ${verdict.reasons.join(', ')}`;
}

describe('NodeResourcesFit', () => {
  const small = sampleNode('n', { allocatable: { cpu: '1', memory: '1Gi', pods: '3', 'example.com/gpu': '1' } });
  const wanting = (requests: Record<string, string>): Partial<V1PodSpec> => podWanting('p', requests).spec;
  const used = [podWanting('a', { cpu: '600m', memory: '256Mi', 'example.com/gpu': '1' })];

  test.each([
    { name: 'nothing requested', spec: {}, pods: used, verdict: 'fits' },
    { name: 'exactly what is left', spec: wanting({ cpu: '400m', memory: '768Mi' }), pods: used, verdict: 'fits' },
    { name: 'one millicore more', spec: wanting({ cpu: '401m' }), pods: used, verdict: 'notNow: Insufficient cpu' },
    { name: 'more than the node has', spec: wanting({ cpu: '2' }), pods: used, verdict: 'neverHere: Insufficient cpu' },
    {
      name: 'cpu and memory',
      spec: wanting({ cpu: '500m', memory: '1Gi' }),
      pods: used,
      verdict: 'notNow: Insufficient cpu, Insufficient memory',
    },
    { name: 'a taken device', spec: wanting({ 'example.com/gpu': '1' }), pods: used, verdict: 'notNow: Insufficient example.com/gpu' },
    {
      name: 'a device that is not there',
      spec: wanting({ 'example.com/tpu': '1' }),
      pods: [],
      verdict: 'neverHere: Insufficient example.com/tpu',
    },
    {
      name: 'storage that the node does not offer',
      spec: wanting({ 'ephemeral-storage': '1Gi' }),
      pods: [],
      verdict: 'neverHere: Insufficient ephemeral-storage',
    },
    { name: 'as many pods as allowed', spec: {}, pods: [samplePod('a'), samplePod('b'), samplePod('c')], verdict: 'notNow: Too many pods' },
  ])('$name', ({ spec, pods, verdict }) => {
    expect(verdictOf(nodeResourcesFit, spec, nodeInfo(small, pods))).toBe(verdict);
  });
});

describe('TaintToleration', () => {
  const taint = (effect: string, value?: string): V1Taint => ({ key: 'k', effect, ...(value === undefined ? {} : { value }) });
  const no = 'neverHere: node(s) had untolerated taint(s)';

  test.each<{ taint: V1Taint; toleration?: V1Toleration; verdict: string }>([
    { taint: taint('NoSchedule'), verdict: no },
    { taint: taint('NoExecute'), verdict: no },
    { taint: taint('PreferNoSchedule'), verdict: 'fits' },
    { taint: taint('NoSchedule', 'v'), toleration: { key: 'k', value: 'v' }, verdict: 'fits' },
    { taint: taint('NoSchedule', 'v'), toleration: { key: 'k', operator: 'Equal', value: 'w' }, verdict: no },
    { taint: taint('NoSchedule', 'v'), toleration: { key: 'k', operator: 'Exists' }, verdict: 'fits' },
    { taint: taint('NoSchedule', 'v'), toleration: { operator: 'Exists' }, verdict: 'fits' },
    { taint: taint('NoSchedule', 'v'), toleration: { key: 'k', operator: 'Exists', effect: 'NoExecute' }, verdict: no },
    { taint: taint('NoSchedule', 'v'), toleration: { key: 'other', operator: 'Exists' }, verdict: no },
  ])('$taint against $toleration', ({ taint: one, toleration, verdict }) => {
    const spec = toleration === undefined ? {} : { tolerations: [toleration] };
    expect(verdictOf(taintToleration, spec, nodeInfo(sampleNode('n', { spec: { taints: [one] } })))).toBe(verdict);
  });
});

describe('NodeAffinity', () => {
  const node = nodeInfo(sampleNode('n1', { labels: { disk: 'ssd', zone: 'a', gen: '5' } }));
  const no = "neverHere: node(s) didn't match Pod's node affinity/selector";
  const term = (key: string, operator: string, ...values: string[]) => ({ matchExpressions: [{ key, operator, values }] });
  const required = (...nodeSelectorTerms: object[]): Partial<V1PodSpec> => ({
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } } as V1Affinity,
  });

  test.each<{ name: string; spec: Partial<V1PodSpec>; verdict: string }>([
    { name: 'a matching selector', spec: { nodeSelector: { disk: 'ssd', zone: 'a' } }, verdict: 'fits' },
    { name: 'a selector that differs', spec: { nodeSelector: { disk: 'ssd', zone: 'b' } }, verdict: no },
    { name: 'In', spec: required(term('zone', 'In', 'a', 'b')), verdict: 'fits' },
    { name: 'NotIn', spec: required(term('zone', 'NotIn', 'a')), verdict: no },
    { name: 'NotIn of an absent label', spec: required(term('rack', 'NotIn', 'a')), verdict: 'fits' },
    { name: 'Exists', spec: required(term('disk', 'Exists')), verdict: 'fits' },
    { name: 'DoesNotExist', spec: required(term('disk', 'DoesNotExist')), verdict: no },
    { name: 'Gt', spec: required(term('gen', 'Gt', '4')), verdict: 'fits' },
    { name: 'Lt', spec: required(term('gen', 'Lt', '5')), verdict: no },
    { name: 'one of two terms', spec: required(term('zone', 'In', 'b'), term('disk', 'Exists')), verdict: 'fits' },
    { name: 'an empty term', spec: required({}), verdict: no },
    { name: 'terms and selector must both hold', spec: { ...required(term('disk', 'Exists')), nodeSelector: { zone: 'b' } }, verdict: no },
    { name: 'by name', spec: required({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] }), verdict: 'fits' },
    { name: 'not by name', spec: required({ matchFields: [{ key: 'metadata.name', operator: 'NotIn', values: ['n1'] }] }), verdict: no },
  ])('$name', ({ spec, verdict }) => {
    expect(verdictOf(nodeAffinity, spec, node)).toBe(verdict);
  });

  test('names narrow the search where every term has them', () => {
    const byName = (...values: string[]) => ({ matchFields: [{ key: 'metadata.name', operator: 'In', values }] });
    const namesOf = (spec: Partial<V1PodSpec>) =>
      nodeAffinity.onlyNodes?.(nodeAffinity.prepare?.(podInfoOf(samplePod('p', spec)), emptyCluster));
    expect(namesOf(required(byName('n1'), byName('n2')))).toEqual(new Set(['n1', 'n2']));
    expect(namesOf(required(byName('n1'), term('disk', 'Exists')))).toBeUndefined();
    expect(namesOf({ nodeSelector: { a: 'b' } })).toBeUndefined();
  });
});

describe('NodePorts', () => {
  const port = (hostPort: number, hostIP?: string, protocol = 'TCP'): Partial<V1PodSpec> => ({
    containers: [
      { name: 'c', image: 'x', ports: [{ containerPort: 80, hostPort, protocol, ...(hostIP === undefined ? {} : { hostIP }) }] },
    ],
  });
  const taken = "notNow: node(s) didn't have free ports for the requested pod ports";

  test.each([
    { there: port(80), wanted: port(81), verdict: 'fits' },
    { there: port(80), wanted: port(80), verdict: taken },
    { there: port(80), wanted: port(80, undefined, 'UDP'), verdict: 'fits' },
    { there: port(80, '127.0.0.1'), wanted: port(80, '10.0.0.1'), verdict: 'fits' },
    { there: port(80, '127.0.0.1'), wanted: port(80, '0.0.0.0'), verdict: taken },
    { there: port(80), wanted: port(80, '10.0.0.1'), verdict: taken },
    { there: port(80), wanted: {}, verdict: 'fits' },
  ])('$there.containers.0.ports against $wanted.containers.0.ports', ({ there, wanted, verdict }) => {
    expect(verdictOf(nodePorts, wanted, nodeInfo(sampleNode('n'), [samplePod('a', there)]))).toBe(verdict);
  });

  test('a port is free again when its pod is gone', () => {
    const node = nodeInfo(sampleNode('n'), [samplePod('a', port(80))]);
    node.removePod('uid-a');
    expect(verdictOf(nodePorts, port(80), node)).toBe('fits');
  });
});

describe('NodeUnschedulable and NodeName', () => {
  const cordoned = nodeInfo(sampleNode('n', { spec: { unschedulable: true } }));

  test.each<{ plugin: Plugin; spec: Partial<V1PodSpec>; verdict: string }>([
    { plugin: nodeUnschedulable, spec: {}, verdict: 'neverHere: node(s) were unschedulable' },
    {
      plugin: nodeUnschedulable,
      spec: { tolerations: [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists' }] },
      verdict: 'fits',
    },
    { plugin: nodeName, spec: { nodeName: 'n' }, verdict: 'fits' },
    { plugin: nodeName, spec: { nodeName: 'm' }, verdict: "neverHere: node(s) didn't match the requested node name" },
  ])('$plugin.name $spec', ({ plugin, spec, verdict }) => {
    expect(verdictOf(plugin, spec, cordoned)).toBe(verdict);
  });
});

describe('what is not there yet keeps pods waiting', () => {
  test.each<{ spec: Partial<V1PodSpec>; says: string }>([
    { spec: { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] }, says: 'persistentvolumeclaim "data" not found' },
    { spec: { volumes: [{ name: 'v', ephemeral: {} }] }, says: 'ephemeral volumes' },
    { spec: { resourceClaims: [{ name: 'c' }] }, says: 'resource claims' },
  ])('$says', ({ spec, says }) => {
    expect(verdictOf(notSupported, spec, nodeInfo(sampleNode('n')))).toMatch(new RegExp(`^neverHere: .*${says}`));
  });

  test('other volumes do no harm', () => {
    expect(verdictOf(notSupported, { volumes: [{ name: 'v', emptyDir: {} }] }, nodeInfo(sampleNode('n')))).toBe('fits');
  });
});

test('SchedulingGates holds a pod while it has gates', () => {
  expect(schedulingGates.gate?.(podInfoOf(samplePod('p', { schedulingGates: [{ name: 'a.b/c' }] })))).toContain('a.b/c');
  expect(schedulingGates.gate?.(podInfoOf(samplePod('p')))).toBeUndefined();
});
