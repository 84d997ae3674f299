// Pods about privileges, the host and its kernel; for tests.
import type { V1Container, V1Volume } from '#api/generated/types.ts';
import { both, type Change, type Samples } from './sample-pods.ts';

const capability = (...add: string[]): Change => ({ c: { capabilities: { add } }, i: { capabilities: { add } } });
const defaultCapabilities =
  'AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT'.split(' ');
const allOthers =
  'SYS_TIME SYS_MODULE SYS_RAWIO SYS_PACCT SYS_ADMIN SYS_NICE SYS_RESOURCE SYS_TTY_CONFIG AUDIT_CONTROL MAC_OVERRIDE MAC_ADMIN NET_ADMIN SYSLOG'.split(
    ' ',
  );

const mustNotEscalate = (name: string): string =>
  `allowPrivilegeEscalation != false (container "${name}" must set securityContext.allowPrivilegeEscalation=false)`;

const capabilities: Samples[] = [
  {
    check: 'capabilities_baseline',
    level: 'baseline',
    since: 0,
    onlyBaselineSince: 22,
    good: [capability(...defaultCapabilities), {}],
    bad: [
      [
        { c: { capabilities: { add: ['NET_RAW'] } } },
        'non-default capabilities (container "c" must not include "NET_RAW" in securityContext.capabilities.add)',
      ],
      [
        { i: { capabilities: { add: ['NET_RAW'] } } },
        'non-default capabilities (container "i" must not include "NET_RAW" in securityContext.capabilities.add)',
      ],
      [capability('chown'), 'non-default capabilities (containers "i", "c" must not include "chown" in securityContext.capabilities.add)'],
      [
        capability('CAP_CHOWN'),
        'non-default capabilities (containers "i", "c" must not include "CAP_CHOWN" in securityContext.capabilities.add)',
      ],
    ],
  },
  {
    check: 'capabilities_restricted',
    level: 'restricted',
    since: 22,
    good: [both({ capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } }), both({ capabilities: { drop: ['CHOWN', 'ALL'] } })],
    bad: [
      [
        { c: { capabilities: { drop: [] } } },
        'unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"])',
      ],
      [
        { i: { capabilities: { drop: [] } } },
        'unrestricted capabilities (container "i" must set securityContext.capabilities.drop=["ALL"])',
      ],
      [
        both({ capabilities: { drop: [...defaultCapabilities, ...allOthers] } }),
        'unrestricted capabilities (containers "i", "c" must set securityContext.capabilities.drop=["ALL"])',
      ],
      [
        both({ capabilities: { drop: ['ALL'], add: defaultCapabilities } }),
        'unrestricted capabilities (containers "i", "c" must not include ' +
          `${defaultCapabilities
            .filter((name) => name !== 'NET_BIND_SERVICE')
            .map((name) => `"${name}"`)
            .join(', ')} in securityContext.capabilities.add)`,
      ],
    ],
  },
  {
    check: 'allowPrivilegeEscalation',
    level: 'restricted',
    since: 8,
    good: [],
    bad: (
      [
        [{ c: { allowPrivilegeEscalation: true } }, 'c'],
        [{ i: { allowPrivilegeEscalation: true } }, 'i'],
        [{ c: { allowPrivilegeEscalation: undefined } }, 'c'],
      ] as const
    ).map(([change, name]) => [change as Change, mustNotEscalate(name)]),
  },
];

const mustNotPrivileged = (name: string): string => `privileged (container "${name}" must not set securityContext.privileged=true)`;
const hostPort = (...ports: number[]): Partial<V1Container> => ({ ports: ports.map((port) => ({ containerPort: port, hostPort: port })) });
const hostProcess = { windowsOptions: { hostProcess: true } };

const host: Samples[] = [
  {
    check: 'privileged',
    level: 'baseline',
    since: 0,
    onlyBaselineSince: 8,
    good: [both({ privileged: false })],
    bad: [
      [{ c: { privileged: true } }, mustNotPrivileged('c')],
      [{ i: { privileged: true } }, mustNotPrivileged('i')],
    ],
  },
  {
    // Who is privileged may gain privileges: anything else is not valid.
    check: 'privileged and restricted',
    level: 'restricted',
    since: 8,
    good: [both({ privileged: false })],
    bad: (['c', 'i'] as const).map((name) => [
      { [name]: { privileged: true, allowPrivilegeEscalation: undefined } },
      `${mustNotPrivileged(name)}, ${mustNotEscalate(name)}`,
    ]),
  },
  {
    check: 'hostNamespaces',
    level: 'baseline',
    since: 0,
    good: [{ spec: { hostNetwork: false, hostPID: false, hostIPC: false } }],
    bad: [
      [{ spec: { hostNetwork: true } }, 'host namespaces (hostNetwork=true)'],
      [{ spec: { hostPID: true } }, 'host namespaces (hostPID=true)'],
      [{ spec: { hostIPC: true } }, 'host namespaces (hostIPC=true)'],
    ],
  },
  {
    check: 'hostPathVolumes',
    level: 'baseline',
    since: 0,
    onlyBaselineSince: 0,
    good: [{ spec: { volumes: [{ name: 'v', emptyDir: {} }] } }, { spec: { volumes: [{ name: 'v', nfs: { server: 's', path: '/p' } }] } }],
    bad: [
      [{ spec: { volumes: [{ name: 'v', hostPath: { path: '/a' } }] } }, 'hostPath volumes (volume "v")'],
      [{ spec: { volumes: ['v', 'w'].map((name) => ({ name, hostPath: { path: '/a' } })) } }, 'hostPath volumes (volumes "v", "w")'],
    ],
  },
  {
    check: 'hostPorts',
    level: 'baseline',
    since: 0,
    good: [{ partsOfC: { ports: [{ containerPort: 12345 }] }, partsOfI: { ports: [{ containerPort: 12346, hostPort: 0 }] } }],
    bad: [
      [{ partsOfC: hostPort(12345) }, 'hostPort (container "c" uses hostPort 12345)'],
      [{ partsOfI: hostPort(12346) }, 'hostPort (container "i" uses hostPort 12346)'],
      [{ partsOfC: hostPort(12346, 12345), partsOfI: hostPort(12347) }, 'hostPort (containers "i", "c" use hostPorts 12345, 12346, 12347)'],
    ],
  },
  {
    check: 'windowsHostProcess',
    level: 'baseline',
    since: 0,
    good: [{ pod: { windowsOptions: { hostProcess: false } } }],
    bad: [
      [
        { pod: hostProcess, spec: { hostNetwork: true } },
        'host namespaces (hostNetwork=true), hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)',
      ],
      [
        { ...both(hostProcess), spec: { hostNetwork: true } },
        'host namespaces (hostNetwork=true), ' +
          'hostProcess (containers "i", "c" must not set securityContext.windowsOptions.hostProcess=true)',
      ],
    ],
  },
  {
    check: 'hostProbesAndHostLifecycle',
    level: 'baseline',
    since: 34,
    good: [
      { partsOfC: { livenessProbe: { httpGet: { port: 8080 } }, readinessProbe: { tcpSocket: { port: 8080, host: '' } } } },
      { partsOfI: { restartPolicy: 'Always', lifecycle: { preStop: { httpGet: { port: 80 } } } } },
    ],
    bad: [
      ...(['bad.host', '127.0.0.1', '::1', '8.8.8.8'] as const).map((name) => {
        const change: Change = { partsOfC: { startupProbe: { httpGet: { port: 8080, host: name } } } };
        return [change, `probe or lifecycle host (container "c" uses probe or lifecycle host "${name}")`] as const;
      }),
      [
        { partsOfI: { restartPolicy: 'Always', readinessProbe: { tcpSocket: { port: 8080, host: 'h' } } } },
        'probe or lifecycle host (container "i" uses probe or lifecycle host "h")',
      ],
      [
        { partsOfC: { lifecycle: { postStart: { httpGet: { port: 8080, host: 'b' } }, preStop: { httpGet: { port: 80, host: 'a' } } } } },
        'probe or lifecycle host (container "c" uses probe or lifecycle hosts "a", "b")',
      ],
    ],
  },
];

const unmasked: Change = { c: { procMount: 'Unmasked' }, spec: { hostUsers: false } };
const unmaskedText = 'procMount (container "c" must not set securityContext.procMount to "Unmasked")';
const setSysctls = (...names: string[]): Change => ({ pod: { sysctls: names.map((name) => ({ name, value: '0' })) } });
const sysctlLists: readonly (readonly [since: number, added: readonly string[]])[] = [
  [
    0,
    [
      'kernel.shm_rmid_forced',
      'net.ipv4.ip_local_port_range',
      'net.ipv4.tcp_syncookies',
      'net.ipv4.ping_group_range',
      'net.ipv4.ip_unprivileged_port_start',
    ],
  ],
  [27, ['net.ipv4.ip_local_reserved_ports']],
  [29, ['net.ipv4.tcp_keepalive_time', 'net.ipv4.tcp_fin_timeout', 'net.ipv4.tcp_keepalive_intvl', 'net.ipv4.tcp_keepalive_probes']],
  [32, ['net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem']],
];

const kernel: Samples[] = [
  {
    check: 'procMount',
    level: 'baseline',
    since: 0,
    onlyBaselineSince: 35,
    good: [both({ procMount: 'Default' })],
    bad: [
      [
        { c: { procMount: 'Unmasked' } },
        unmaskedText,
        'Pod "sample" is invalid: spec.containers[0].securityContext.procMount: Invalid value: "Unmasked": `hostUsers` must be false to use `Unmasked`',
      ],
    ],
  },
  { check: 'procMount of pods in a user namespace', level: 'baseline', since: 0, until: 35, good: [], bad: [[unmasked, unmaskedText]] },
  { check: 'procMount, relaxed', level: 'baseline', since: 35, onlyBaselineSince: 35, good: [unmasked], bad: [] },
  {
    check: 'procMount_restricted',
    level: 'restricted',
    since: 35,
    good: [both({ procMount: 'Default' })],
    bad: [[unmasked, unmaskedText]],
  },
  ...sysctlLists.map(([since], at): Samples => {
    const next = sysctlLists[at + 1];
    const allowed = sysctlLists.slice(0, at + 1).flatMap(([, added]) => added);
    const early = next === undefined ? [] : next[1];
    return {
      check: 'sysctls',
      level: 'baseline',
      since,
      ...(next === undefined ? {} : { until: next[0] }),
      good: [setSysctls(...allowed)],
      bad: ['other', ...early].map((name) => [setSysctls('kernel.shm_rmid_forced', name), `forbidden sysctls (${name})`]),
    };
  }),
];

const volume = (source: Omit<V1Volume, 'name'>): Change => ({ spec: { volumes: [{ name: 'v', ...source }] } });
const allowedSources: readonly Omit<V1Volume, 'name'>[] = [
  { emptyDir: {} },
  { secret: { secretName: 't' } },
  { persistentVolumeClaim: { claimName: 't' } },
  { downwardAPI: { items: [{ path: 'l', fieldRef: { fieldPath: 'metadata.labels' } }] } },
  { configMap: { name: 't' } },
  { projected: { sources: [] } },
  { csi: { driver: 'inline.example.com' } },
  { image: { reference: 'i' } },
  { ephemeral: { volumeClaimTemplate: { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1' } } } } } },
];
const restrictedSources: readonly Omit<V1Volume, 'name'>[] = [
  { gcePersistentDisk: { pdName: 't' } },
  { awsElasticBlockStore: { volumeID: 't' } },
  { gitRepo: { repository: 't' } },
  { nfs: { server: 't', path: '/t' } },
  { iscsi: { targetPortal: 't', iqn: 'iqn.2001-04.com.example:storage.kube.sys1.xyz', lun: 0 } },
  { glusterfs: { path: 't', endpoints: 't' } },
  { rbd: { monitors: ['t'], image: 't' } },
  { flexVolume: { driver: 't' } },
  { cinder: { volumeID: 't' } },
  { cephfs: { monitors: ['t'] } },
  { flocker: { datasetName: 't' } },
  { fc: { wwids: ['t'] } },
  { azureFile: { secretName: 't', shareName: 't' } },
  { vsphereVolume: { volumePath: 't' } },
  { quobyte: { registry: 'localhost:1234', volume: 't' } },
  { azureDisk: { diskName: 't', diskURI: 'https://t.blob.core.windows.net/t/t.vhd' } },
  { portworxVolume: { volumeID: 't' } },
  { scaleIO: { volumeName: 't', gateway: 'h', system: 't', secretRef: { name: 't' } } },
  { storageos: { volumeName: 't' } },
  { hostPath: { path: '/dev/null' } },
];

const volumes: Samples = {
  check: 'restrictedVolumes',
  level: 'restricted',
  since: 0,
  good: [{ spec: { volumes: allowedSources.map((source, at) => ({ name: `v${at}`, ...source })) } }],
  bad: restrictedSources.map((source) => [
    volume(source),
    `restricted volume types (volume "v" uses restricted volume type "${Object.keys(source)[0] ?? ''}")`,
  ]),
};

export const privilegeSamples: readonly Samples[] = [...capabilities, ...host, ...kernel, volumes];
