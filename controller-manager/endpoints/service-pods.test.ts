import { describe, expect, test } from 'vitest';
import type { V1Container, V1ServicePort } from '#api/generated/types.ts';
import { mapSelectorOf } from '#api/meta/label-selector.ts';
import { aPod, aService, type PodTraits } from '../builders.ts';
import { addressOf, hasSelector, isHeadless, isReachable, podPort, publishedHostname, selectedPods } from './service-pods.ts';

test.each<[spec: object, selects: boolean]>([
  [{}, true],
  [{ selector: {} }, false],
  [{ selector: undefined }, false],
  [{ type: 'ExternalName' }, false],
])('a Service with %j has a selector: %s', (spec, selects) => {
  expect(hasSelector(aService(spec))).toBe(selects);
});

test.each<[clusterIP: string | undefined, headless: boolean]>([
  ['10.96.0.1', false],
  ['None', true],
  ['', true],
  [undefined, true],
])('clusterIP %j is headless: %s', (clusterIP, headless) => {
  expect(isHeadless(aService({ clusterIP } as never))).toBe(headless);
});

test.each<[why: string, pod: PodTraits, reachable: boolean]>([
  ['running', { ip: '10.0.0.1' }, true],
  ['without address', {}, false],
  ['going', { ip: '10.0.0.1', isGoing: true }, true],
  ['ended', { ip: '10.0.0.1', phase: 'Succeeded' }, false],
  ['failed', { ip: '10.0.0.1', phase: 'Failed' }, false],
  ['with the other family only', { ip: 'fd00::1' }, false],
])('a pod is reachable: %s', (_why, pod, reachable) => {
  expect(isReachable(aPod(pod))).toBe(reachable);
});

test('of several addresses the IPv4 one counts', () => {
  const pod = aPod();
  expect(addressOf({ ...pod, status: { podIP: 'fd00::1', podIPs: [{ ip: 'fd00::1' }, { ip: '10.0.0.7' }] } })).toBe('10.0.0.7');
});

test('pods are found by label and sorted by name', () => {
  const pods = [aPod({ name: 'b' }), aPod({ name: 'x', labels: {} }), aPod({ name: 'a' })];
  expect(selectedPods(mapSelectorOf({ app: 'web' }), pods).map(({ metadata }) => metadata.name)).toEqual(['a', 'b']);
});

describe('the port of a pod', () => {
  const containers: V1Container[] = [
    { name: 'a', ports: [{ name: 'dns', containerPort: 53, protocol: 'UDP' }] },
    {
      name: 'b',
      ports: [
        { name: 'dns', containerPort: 5_353 },
        { name: 'web', containerPort: 8_080 },
      ],
    },
  ];
  const initContainers: V1Container[] = [
    { name: 'setup', ports: [{ name: 'setup', containerPort: 1 }] },
    { name: 'side', restartPolicy: 'Always', ports: [{ name: 'metrics', containerPort: 9_090 }] },
  ];
  test.each<[port: V1ServicePort, number: number | undefined]>([
    [{ port: 80 }, 80],
    [{ port: 80, targetPort: 8_000 }, 8_000],
    [{ port: 80, targetPort: 'web' }, 8_080],
    [{ port: 53, targetPort: 'dns', protocol: 'UDP' }, 53],
    [{ port: 53, targetPort: 'dns' }, 5_353],
    [{ port: 80, targetPort: 'metrics' }, 9_090],
    [{ port: 80, targetPort: 'setup' }, undefined],
    [{ port: 80, targetPort: 'web', protocol: 'UDP' }, undefined],
  ])('for %j is %s', (port, number) => {
    expect(podPort(aPod({ spec: { containers, initContainers } }), port)).toBe(number);
  });
});

test.each<[spec: object, name: string | undefined]>([
  [{ hostname: 'db-0', subdomain: 'web' }, 'db-0'],
  [{ hostname: 'db-0', subdomain: 'other' }, undefined],
  [{ subdomain: 'web' }, undefined],
])('a pod with %j is published as %s', (spec, name) => {
  expect(publishedHostname(aPod({ spec }), aService())).toBe(name);
});
