import { expect, test } from 'vitest';
import { builtinKinds } from '#api/kinds.ts';
import { formerPlaces, keyPrefix, movedKey } from './keys.ts';

const prefixOf = (plural: string, group: string): string => keyPrefix({ group, names: { plural } });

// From upstream's test/integration/etcd/data.go.
test.each([
  ['pods', '', '/registry/pods/'],
  ['services', '', '/registry/services/specs/'],
  ['endpoints', '', '/registry/services/endpoints/'],
  ['nodes', '', '/registry/minions/'],
  ['replicationcontrollers', '', '/registry/controllers/'],
  ['events', '', '/registry/events/'],
  ['deployments', 'apps', '/registry/deployments/'],
  ['controllerrevisions', 'apps', '/registry/controllerrevisions/'],
  ['horizontalpodautoscalers', 'autoscaling', '/registry/horizontalpodautoscalers/'],
  ['jobs', 'batch', '/registry/jobs/'],
  ['certificatesigningrequests', 'certificates.k8s.io', '/registry/certificatesigningrequests/'],
  ['leases', 'coordination.k8s.io', '/registry/leases/'],
  ['endpointslices', 'discovery.k8s.io', '/registry/endpointslices/'],
  ['ingresses', 'networking.k8s.io', '/registry/ingress/'],
  ['ipaddresses', 'networking.k8s.io', '/registry/ipaddresses/'],
  ['servicecidrs', 'networking.k8s.io', '/registry/servicecidrs/'],
  ['flowschemas', 'flowcontrol.apiserver.k8s.io', '/registry/flowschemas/'],
  ['clusterroles', 'rbac.authorization.k8s.io', '/registry/clusterroles/'],
  ['customresourcedefinitions', 'apiextensions.k8s.io', '/registry/apiextensions.k8s.io/customresourcedefinitions/'],
  ['apiservices', 'apiregistration.k8s.io', '/registry/apiregistration.k8s.io/apiservices/'],
])('%s of %s lie where upstream has them', (plural, group, expected) => {
  expect(prefixOf(plural, group)).toBe(expected);
});

test('no two kinds share a place, and none lies inside of another', () => {
  const prefixes = builtinKinds.filter(({ storedAs }) => storedAs === undefined).map(keyPrefix);
  expect(prefixes.filter((one, at) => prefixes.some((other, index) => index !== at && one.startsWith(other)))).toEqual([]);
});

test.each([
  ['/registry/apps/deployments/a/b', '/registry/deployments/a/b'],
  ['/registry/nodes/n', '/registry/minions/n'],
  ['/registry/services/a/b', '/registry/services/specs/a/b'],
  ['/registry/services/specs/a/b', undefined],
  ['/registry/services/endpoints/a/b', undefined],
  ['/registry/endpoints/a/b', '/registry/services/endpoints/a/b'],
  ['/registry/pods/a/b', undefined],
  ['/registry/ranges/servicenodeports', undefined],
  ['/registry/apiextensions.k8s.io/customresourcedefinitions/c', undefined],
])('%s has to go to %s', (key, expected) => {
  expect(movedKey(key, formerPlaces(builtinKinds))).toBe(expected);
});
