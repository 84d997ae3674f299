import { describe, expect, test } from 'vitest';
import type { V1Container, V1PodSpec, V1SecurityContext } from '#api/generated/types.ts';
import { checks, violations, violationsText } from './standards.ts';

/** A container that keeps to every standard. */
const good = {
  allowPrivilegeEscalation: false,
  runAsNonRoot: true,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
} satisfies V1SecurityContext;

function aContainer(securityContext: V1SecurityContext = {}, parts: Partial<V1Container> = {}): V1Container {
  return { name: 'a', image: 'i', securityContext: { ...good, ...securityContext }, ...parts };
}

function aSpec(parts: Partial<V1PodSpec> = {}): V1PodSpec {
  return { containers: [aContainer()], ...parts };
}

/** One container with a security context. */
function withContext(context: V1SecurityContext): V1PodSpec {
  return aSpec({ containers: [aContainer(context)] });
}

function textOf(level: 'baseline' | 'restricted', minor: number, spec: V1PodSpec, annotations: Record<string, string> = {}): string {
  return violationsText(violations({ level, minor }, spec, { annotations }));
}

test('the checks are in the order of their ids, the baseline first', () => {
  for (const level of ['baseline', 'restricted']) {
    const ids = checks.filter((check) => check.level === level).map(({ id }) => id);
    expect(ids).toEqual(ids.toSorted());
  }
  expect(checks.map(({ level }) => level)).toEqual(checks.map(({ level }) => level).toSorted());
});

test('a good pod keeps to everything, and nothing is asked of privileged ones', () => {
  expect(textOf('restricted', Infinity, aSpec())).toBe('');
  expect(violations({ level: 'privileged', minor: Infinity }, withContext({ privileged: true }), {})).toEqual([]);
});

describe('the baseline', () => {
  test.each<[string, V1PodSpec, string]>([
    [
      'host namespaces',
      aSpec({ hostNetwork: true, hostPID: true, hostIPC: true }),
      'host namespaces (hostNetwork=true, hostPID=true, hostIPC=true)',
    ],
    ['one host namespace', aSpec({ hostPID: true, hostIPC: false }), 'host namespaces (hostPID=true)'],
    ['privileged', withContext({ privileged: true }), 'privileged (container "a" must not set securityContext.privileged=true)'],
    [
      'init and ephemeral containers',
      aSpec({
        initContainers: [aContainer({ privileged: true }, { name: 'i' })],
        ephemeralContainers: [{ name: 'e', securityContext: { privileged: true } }],
      }),
      'privileged (containers "i", "e" must not set securityContext.privileged=true)',
    ],
    [
      'capabilities',
      withContext({ capabilities: { add: ['SYS_ADMIN', 'CHOWN', 'NET_RAW'] } }),
      'non-default capabilities (container "a" must not include "NET_RAW", "SYS_ADMIN" in securityContext.capabilities.add)',
    ],
    [
      'hostPath',
      aSpec({
        volumes: [
          { name: 'v', hostPath: { path: '/' } },
          { name: 'w', emptyDir: {} },
        ],
      }),
      'hostPath volumes (volume "v")',
    ],
    ['hostPaths', aSpec({ volumes: ['v', 'w'].map((name) => ({ name, hostPath: { path: '/' } })) }), 'hostPath volumes (volumes "v", "w")'],
    [
      'a host port',
      aSpec({
        containers: [
          aContainer(
            {},
            {
              ports: [
                { containerPort: 1, hostPort: 80 },
                { containerPort: 2, hostPort: 0 },
              ],
            },
          ),
        ],
      }),
      'hostPort (container "a" uses hostPort 80)',
    ],
    [
      'host ports, sorted as texts',
      aSpec({
        containers: [
          aContainer({}, { ports: [{ containerPort: 1, hostPort: 9 }] }),
          aContainer({}, { name: 'b', ports: [{ containerPort: 1, hostPort: 80 }] }),
        ],
      }),
      'hostPort (containers "a", "b" use hostPorts 80, 9)',
    ],
    [
      'probes of other hosts',
      aSpec({
        containers: [
          aContainer(
            {},
            {
              livenessProbe: { httpGet: { port: 80, host: 'x' } },
              lifecycle: { preStop: { tcpSocket: { port: 1, host: 'y' } } },
              readinessProbe: { tcpSocket: { port: 1 } },
            },
          ),
        ],
      }),
      'probe or lifecycle host (container "a" uses probe or lifecycle hosts "x", "y")',
    ],
    ['procMount', withContext({ procMount: 'Unmasked' }), 'procMount (container "a" must not set securityContext.procMount to "Unmasked")'],
    ['procMount in a user namespace', { ...withContext({ procMount: 'Unmasked' }), hostUsers: false }, ''],
    [
      'AppArmor',
      { ...withContext({ appArmorProfile: { type: 'Unconfined' } }), securityContext: { appArmorProfile: { type: 'Unconfined' } } },
      'forbidden AppArmor profile (pod and container "a" must not set AppArmor profile type to "Unconfined")',
    ],
    [
      'SELinux',
      withContext({ seLinuxOptions: { type: 'spc_t', user: 'u', role: 'r' } }),
      'seLinuxOptions (container "a" set forbidden securityContext.seLinuxOptions: type "spc_t"; user may not be set; role may not be set)',
    ],
    ['an SELinux type', withContext({ seLinuxOptions: { type: 'container_engine_t', level: 's0' } }), ''],
    [
      'SELinux of the pod',
      aSpec({ securityContext: { seLinuxOptions: { user: 'u' } } }),
      'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: user may not be set)',
    ],
    [
      'seccomp',
      { ...withContext({ seccompProfile: { type: 'Unconfined' } }), securityContext: { seccompProfile: { type: 'Localhost' } } },
      'seccompProfile (container "a" must not set securityContext.seccompProfile.type to "Unconfined")',
    ],
    [
      'sysctls',
      aSpec({
        securityContext: {
          sysctls: [
            { name: 'kernel.msgmax', value: '1' },
            { name: 'net.ipv4.tcp_rmem', value: '1' },
            { name: 'b', value: '' },
          ],
        },
      }),
      'forbidden sysctls (kernel.msgmax, b)',
    ],
    [
      'host processes of Windows',
      { ...withContext({ windowsOptions: { hostProcess: true } }), securityContext: { windowsOptions: { hostProcess: true } } },
      'hostProcess (pod and container "a" must not set securityContext.windowsOptions.hostProcess=true)',
    ],
    [
      'several things at once, in order',
      { ...withContext({ privileged: true }), hostNetwork: true },
      'host namespaces (hostNetwork=true), privileged (container "a" must not set securityContext.privileged=true)',
    ],
    ['what only restricted pods may not', { containers: [{ name: 'a', image: 'i' }] }, ''],
  ])('%s', (_, spec, expected) => {
    expect(textOf('baseline', Infinity, spec)).toBe(expected);
  });

  const apparmor = 'container.apparmor.security.beta.kubernetes.io/';
  const seccomp = 'seccomp.security.alpha.kubernetes.io/';
  test.each<[string, number, Record<string, string>, string]>([
    [
      'AppArmor',
      Infinity,
      { [`${apparmor}a`]: 'unconfined', [`${apparmor}b`]: 'localhost/x' },
      `forbidden AppArmor profile (annotation must not set AppArmor profile type to "${apparmor}a="unconfined"")`,
    ],
    ['seccomp', 18, { [`${seccomp}pod`]: 'unconfined' }, `seccompProfile (forbidden annotation ${seccomp}pod="unconfined")`],
    [
      'seccomp of a container',
      18,
      { [`container.${seccomp}a`]: 'x', [`container.${seccomp}other`]: 'x' },
      `seccompProfile (forbidden annotation container.${seccomp}a="x")`,
    ],
    ['seccomp, since there is a field', 19, { [`${seccomp}pod`]: 'unconfined' }, ''],
  ])('annotations: %s in 1.%d', (_, minor, annotations, expected) => {
    expect(textOf('baseline', minor, aSpec(), annotations)).toBe(expected);
  });
});

describe('restricted', () => {
  test('a pod that says nothing breaks these', () => {
    expect(textOf('restricted', Infinity, { containers: [{ name: 'x', image: 'i' }] })).toBe(
      'allowPrivilegeEscalation != false (container "x" must set securityContext.allowPrivilegeEscalation=false), ' +
        'unrestricted capabilities (container "x" must set securityContext.capabilities.drop=["ALL"]), ' +
        'runAsNonRoot != true (pod or container "x" must set securityContext.runAsNonRoot=true), ' +
        'seccompProfile (pod or container "x" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    );
  });

  test.each<[string, V1PodSpec, string]>([
    [
      'capabilities, instead of what the baseline says of them',
      withContext({ capabilities: { add: ['CHOWN', 'SYS_ADMIN', 'NET_BIND_SERVICE'] } }),
      'unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"]; container "a" must not include "CHOWN", "SYS_ADMIN" in securityContext.capabilities.add)',
    ],
    ['the one capability that may be added', withContext({ capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } }), ''],
    [
      'volumes, instead of what the baseline says of them',
      aSpec({
        volumes: [
          { name: 'v', hostPath: { path: '/' } },
          { name: 'n', nfs: { server: 's', path: '/' } },
          { name: 'ok', secret: {} },
        ],
      }),
      'restricted volume types (volumes "v", "n" use restricted volume types "hostPath", "nfs")',
    ],
    [
      'procMount, in a user namespace too',
      { ...withContext({ procMount: 'Unmasked' }), hostUsers: false },
      'procMount (container "a" must not set securityContext.procMount to "Unmasked")',
    ],
    [
      'running as root',
      { ...withContext({ runAsNonRoot: false }), securityContext: { runAsNonRoot: false } },
      'runAsNonRoot != true (pod and container "a" must not set securityContext.runAsNonRoot=false)',
    ],
    ['root in a user namespace', { ...withContext({ runAsNonRoot: false, runAsUser: 0 }), hostUsers: false }, ''],
    [
      'user 0',
      { ...withContext({ runAsUser: 0 }), securityContext: { runAsUser: 0 } },
      'runAsUser=0 (pod and container "a" must not set runAsUser=0)',
    ],
    [
      'what the pod says for containers that say nothing',
      {
        containers: [{ name: 'a', securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } }],
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'Localhost' } },
      },
      '',
    ],
    ['Windows', { containers: [{ name: 'a', securityContext: { runAsNonRoot: true } }], os: { name: 'windows' } }, ''],
  ])('%s', (_, spec, expected) => {
    expect(textOf('restricted', Infinity, spec)).toBe(expected);
  });
});

describe('older versions', () => {
  const escaping = withContext({ allowPrivilegeEscalation: true });
  const root = withContext({ runAsUser: 0 });
  const rootInside: V1PodSpec = { ...withContext({ runAsNonRoot: false }), hostUsers: false };
  const keeping = withContext({ capabilities: {} });
  const windows: V1PodSpec = { ...withContext({ capabilities: {} }), os: { name: 'windows' } };
  const sysctl = (name: string): V1PodSpec => aSpec({ securityContext: { sysctls: [{ name, value: '1' }] } });
  const otherHost = aSpec({ containers: [aContainer({}, { livenessProbe: { httpGet: { port: 1, host: 'x' } } })] });
  test.each<[string, V1PodSpec, number]>([
    ['allowPrivilegeEscalation', escaping, 8],
    ['runAsUser', root, 23],
    ['capabilities', keeping, 22],
    ['probes', otherHost, 34],
  ])('%s is a rule since 1.%3$d', (_, spec, since) => {
    expect(textOf('restricted', since - 1, spec)).toBe('');
    expect(textOf('restricted', since, spec)).not.toBe('');
  });
  test.each<[string, V1PodSpec, number]>([
    ['capabilities on Windows', windows, 25],
    ['root in user namespaces', rootInside, 35],
    ['reserved ports', sysctl('net.ipv4.ip_local_reserved_ports'), 27],
    ['keepalive', sysctl('net.ipv4.tcp_keepalive_time'), 29],
    ['buffers', sysctl('net.ipv4.tcp_wmem'), 32],
    ['container_engine_t', withContext({ seLinuxOptions: { type: 'container_engine_t' } }), 31],
  ])('%s is no longer forbidden since 1.%3$d', (_, spec, since) => {
    expect(textOf('restricted', since - 1, spec)).not.toBe('');
    expect(textOf('restricted', since, spec)).toBe('');
  });
});
