import { expect, test } from 'vitest';
import { createProblems, decoded, updateProblems } from '../../testing.ts';
import { podTemplate } from '../pod-template.ts';
import { type Pod, pod } from './pod.ts';

const container = 'containers: [{name: c, image: i}]';
const mirror = 'metadata.annotations[kubernetes.io/config.mirror]';
const cost = 'metadata.annotations[controller.kubernetes.io/pod-deletion-cost]';
const armor = 'metadata.annotations[container.apparmor.security.beta.kubernetes.io/c]';

function aPod(annotations: string, spec = container): string {
  return `metadata: {name: web, namespace: a, annotations: {${annotations}}}\nspec: {${spec}}`;
}

test.each<[string, string, string[]]>([
  ['none', '', []],
  [
    'a static pod nowhere',
    'kubernetes.io/config.mirror: x',
    [`${mirror}: Invalid value: "x": must set spec.nodeName if mirror pod annotation is set`],
  ],
  ['costs', 'controller.kubernetes.io/pod-deletion-cost: "-7"', []],
  ['no costs', 'controller.kubernetes.io/pod-deletion-cost: "+7"', [`${cost}: Invalid value: "+7": must be a 32bit integer`]],
  [
    'great costs',
    'controller.kubernetes.io/pod-deletion-cost: "2147483648"',
    [`${cost}: Invalid value: "2147483648": must be a 32bit integer`],
  ],
  [
    'seccomp',
    'seccomp.security.alpha.kubernetes.io/pod: odd, container.seccomp.security.alpha.kubernetes.io/c: localhost/../x, container.seccomp.security.alpha.kubernetes.io/d: unconfined',
    [
      'metadata.annotations.seccomp.security.alpha.kubernetes.io/pod: Invalid value: "odd": must be a valid seccomp profile',
      'metadata.annotations.container.seccomp.security.alpha.kubernetes.io/c: Invalid value: "../x": must not contain \'..\'',
    ],
  ],
  ['AppArmor', 'container.apparmor.security.beta.kubernetes.io/c: runtime/default', []],
  [
    'odd AppArmor',
    'container.apparmor.security.beta.kubernetes.io/c: odd, container.apparmor.security.beta.kubernetes.io/d: unconfined',
    [
      `${armor}: Invalid value: "odd": invalid AppArmor profile name: "odd"`,
      'metadata.annotations[container.apparmor.security.beta.kubernetes.io/d]: Invalid value: "d": container not found',
    ],
  ],
])('create: %s', (_name, annotations, expected) => {
  expect(createProblems(pod, aPod(annotations))).toEqual(expected);
});

test('templates are judged, too', () => {
  const yaml = `metadata: {name: t, namespace: a}\ntemplate: {metadata: {annotations: {controller.kubernetes.io/pod-deletion-cost: x}}, spec: {${container}}}`;
  expect(createProblems(podTemplate, yaml)).toEqual([
    'template.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "x": must be a 32bit integer',
  ]);
});

const armored = 'container.apparmor.security.beta.kubernetes.io/c: unconfined';

test.each<[string, string, (object: Pod) => void, string[]]>([
  ['others', 'a: b', ({ metadata }) => void (metadata.annotations = { c: 'd' }), []],
  [
    'static gone',
    'kubernetes.io/config.mirror: x',
    ({ metadata }) => void (metadata.annotations = {}),
    [`${mirror}: Forbidden: may not remove or update mirror pod annotation`],
  ],
  [
    'static from now on',
    '',
    ({ metadata }) => void (metadata.annotations = { 'kubernetes.io/config.mirror': 'x' }),
    [`${mirror}: Forbidden: may not add mirror pod annotation`],
  ],
  [
    'AppArmor changed',
    armored,
    ({ metadata }) => void (metadata.annotations = { 'container.apparmor.security.beta.kubernetes.io/c': 'runtime/default' }),
    [`${armor}: Forbidden: may not remove or update AppArmor annotations`],
  ],
  [
    'AppArmor added',
    '',
    ({ metadata }) => void (metadata.annotations = { 'container.apparmor.security.beta.kubernetes.io/c': 'unconfined' }),
    [`${armor}: Forbidden: may not add AppArmor annotations`],
  ],
  ['an old mistake', 'controller.kubernetes.io/pod-deletion-cost: x', ({ metadata }) => void (metadata.labels = { a: 'b' }), []],
])('update: %s', (_name, annotations, change, expected) => {
  const yaml = aPod(annotations, `nodeName: n, ${container}`);
  expect(updateProblems(pod, yaml, change)).toEqual(expected);
  expect(updateProblems(pod, yaml, change, 'status')).toEqual(expected);
});

test.each<[string, string, string, object | undefined, number]>([
  ['names a profile', armored, '', { type: 'Unconfined' }, 1],
  ['names a file', 'container.apparmor.security.beta.kubernetes.io/c: localhost/x', '', { type: 'Localhost', localhostProfile: 'x' }, 1],
  ['says what the pod says', armored, 'securityContext: {appArmorProfile: {type: Unconfined}}', undefined, 0],
  ['means nothing on Windows', armored, 'os: {name: windows}', undefined, 0],
])('an AppArmor annotation that %s', (_name, annotations, spec, expected, warnings) => {
  const object = decoded(pod, aPod(annotations, `${spec}${spec === '' ? '' : ', '}${container}`));
  pod.prepareCreate?.(object, { verb: 'create', subresource: '', nowMs: 0 });
  expect(object.spec.containers[0]?.securityContext?.appArmorProfile).toEqual(expected);
  const text = `${armor}: deprecated since v1.30; use the "appArmorProfile" field instead`;
  expect(pod.warnings?.(object, undefined)).toEqual(warnings === 0 ? [] : [text]);
});
