// Pods about profiles and about whom they run as; for tests.
import type { V1PodSecurityContext } from '#api/generated/types.ts';
import { type Bad, both, type Samples } from './sample-pods.ts';

const appArmor = 'container.apparmor.security.beta.kubernetes.io/';
const seccomp = 'seccomp.security.alpha.kubernetes.io/';
const appArmorText = (who: string, type: string): string =>
  `forbidden AppArmor profile (${who} must not set AppArmor profile type to "${type}")`;
const unconfined = { type: 'Unconfined' };
const badSeccomp = (who: string): string => `seccompProfile (${who} must not set securityContext.seccompProfile.type to "Unconfined")`;
const noSeccomp = (who: string): string =>
  `seccompProfile (pod or ${who} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")`;
const badSeLinux = (who: string, what: string): string => `seLinuxOptions (${who} set forbidden securityContext.seLinuxOptions: ${what})`;
const seLinux = (type: string): V1PodSecurityContext => ({ seLinuxOptions: { type } });

const profiles: Samples[] = [
  {
    check: 'appArmorProfile',
    level: 'baseline',
    since: 0,
    good: [
      { annotations: { [`${appArmor}c`]: 'runtime/default', [`${appArmor}i`]: 'localhost/foo' } },
      { pod: { appArmorProfile: { type: 'RuntimeDefault' } }, c: { appArmorProfile: { type: 'Localhost', localhostProfile: 'p' } } },
    ],
    bad: [
      // A new pod's annotations are said in fields, too, before it is judged.
      ...['c', 'i'].map((name): Bad => {
        const mark = `${appArmor}${name}="unconfined"`;
        const both = `(container "${name}" and annotation must not set AppArmor profile type to "Unconfined", "${mark}")`;
        const change = { annotations: { [`${appArmor}${name}`]: 'unconfined' } };
        return [change, appArmorText('annotation', mark), `forbidden AppArmor profiles ${both}`];
      }),
      [{ pod: { appArmorProfile: unconfined } }, appArmorText('pod', 'Unconfined')],
      [{ c: { appArmorProfile: unconfined } }, appArmorText('container "c"', 'Unconfined')],
      [{ i: { appArmorProfile: unconfined } }, appArmorText('container "i"', 'Unconfined')],
    ],
  },
  {
    check: 'seLinuxOptions',
    level: 'baseline',
    since: 0,
    good: [
      { i: { seLinuxOptions: {} } },
      { pod: seLinux('container_t'), c: seLinux('container_init_t'), i: seLinux('container_kvm_t') },
      { c: { seLinuxOptions: { level: 'somevalue' } } },
    ],
    bad: [
      [{ pod: seLinux('x') }, badSeLinux('pod', 'type "x"')],
      [{ c: seLinux('x') }, badSeLinux('container "c"', 'type "x"')],
      [{ i: seLinux('x') }, badSeLinux('container "i"', 'type "x"')],
      [{ pod: { seLinuxOptions: { user: 'x' } } }, badSeLinux('pod', 'user may not be set')],
      [{ pod: { seLinuxOptions: { role: 'x' } } }, badSeLinux('pod', 'role may not be set')],
    ],
  },
  {
    check: 'seLinuxOptions, before container engines',
    level: 'baseline',
    since: 0,
    until: 31,
    good: [],
    bad: [[{ c: seLinux('container_engine_t') }, badSeLinux('container "c"', 'type "container_engine_t"')]],
  },
  { check: 'seLinuxOptions of container engines', level: 'baseline', since: 31, good: [{ c: seLinux('container_engine_t') }], bad: [] },
  {
    check: 'seccompProfile_baseline, by annotations',
    level: 'baseline',
    since: 0,
    until: 19,
    good: [{ annotations: { [`${seccomp}pod`]: 'runtime/default', [`container.${seccomp}c`]: 'localhost/testing' } }],
    bad: [`${seccomp}pod`, `container.${seccomp}c`, `container.${seccomp}i`].map((key) => [
      { annotations: { [key]: 'unconfined' } },
      `seccompProfile (forbidden annotation ${key}="unconfined")`,
    ]),
  },
  {
    check: 'seccompProfile_baseline',
    level: 'baseline',
    since: 19,
    good: [{ pod: { seccompProfile: { type: 'RuntimeDefault' } }, c: { seccompProfile: { type: 'Localhost', localhostProfile: 'p' } } }],
    bad: [
      [{ pod: { seccompProfile: unconfined } }, badSeccomp('pod')],
      [{ c: { seccompProfile: unconfined } }, badSeccomp('container "c"')],
      [{ i: { seccompProfile: unconfined } }, badSeccomp('container "i"')],
    ],
  },
  {
    check: 'seccompProfile_restricted',
    level: 'restricted',
    since: 19,
    good: [
      { pod: { seccompProfile: { type: 'Localhost', localhostProfile: 'testing' } } },
      { pod: { seccompProfile: undefined as never }, ...both({ seccompProfile: { type: 'RuntimeDefault' } }) },
    ],
    bad: [
      [{ pod: { seccompProfile: undefined as never } }, noSeccomp('containers "i", "c"')],
      [{ pod: { seccompProfile: undefined as never }, c: { seccompProfile: { type: 'RuntimeDefault' } } }, noSeccomp('container "i"')],
      [{ pod: { seccompProfile: undefined as never }, i: { seccompProfile: { type: 'RuntimeDefault' } } }, noSeccomp('container "c"')],
      [
        {
          pod: { seccompProfile: undefined as never },
          c: { seccompProfile: { type: 'RuntimeDefault' } },
          i: { seccompProfile: unconfined },
        },
        badSeccomp('container "i"'),
      ],
    ],
  },
];

const badRoot = (who: string): string => `runAsNonRoot != true (${who} must not set securityContext.runAsNonRoot=false)`;
const badUser = (who: string): string => `runAsUser=0 (${who} must not set runAsUser=0)`;
const inside = { hostUsers: false };

const users: Samples[] = [
  {
    check: 'runAsNonRoot',
    level: 'restricted',
    since: 0,
    good: [{ pod: { runAsNonRoot: undefined as never }, ...both({ runAsNonRoot: true }) }],
    bad: [
      [
        { pod: { runAsNonRoot: undefined as never } },
        'runAsNonRoot != true (pod or containers "i", "c" must set securityContext.runAsNonRoot=true)',
      ],
      [{ pod: { runAsNonRoot: false } }, badRoot('pod')],
      [{ c: { runAsNonRoot: false } }, badRoot('container "c"')],
      [{ i: { runAsNonRoot: false } }, badRoot('container "i"')],
    ],
  },
  {
    check: 'runAsUser',
    level: 'restricted',
    since: 23,
    good: [{ pod: { runAsUser: 1000 }, ...both({ runAsUser: 1000 }) }],
    bad: [
      [{ pod: { runAsUser: 0 } }, badUser('pod')],
      [{ c: { runAsUser: 0 } }, badUser('container "c"')],
      [{ i: { runAsUser: 0 } }, badUser('container "i"')],
    ],
  },
  {
    check: 'users of pods in a user namespace',
    level: 'restricted',
    since: 23,
    until: 35,
    good: [],
    bad: [
      [{ pod: { runAsUser: 0 }, spec: inside }, badUser('pod')],
      [{ pod: { runAsNonRoot: false }, spec: inside }, badRoot('pod')],
    ],
  },
  {
    check: 'users of pods in a user namespace, relaxed',
    level: 'restricted',
    since: 35,
    good: [
      { pod: { runAsUser: 0 }, spec: inside },
      { pod: { runAsNonRoot: false }, ...both({ runAsNonRoot: false }), spec: inside },
      { pod: { runAsNonRoot: undefined as never }, spec: inside },
    ],
    bad: [],
  },
  {
    check: 'what restricted asks of Linux alone',
    level: 'restricted',
    since: 25,
    good: [
      {
        pod: { seccompProfile: undefined as never },
        partsOfC: { securityContext: {} },
        partsOfI: { securityContext: {} },
        spec: { os: { name: 'windows' } },
      },
    ],
    bad: [],
  },
];

export const profileSamples: readonly Samples[] = [...profiles, ...users];
