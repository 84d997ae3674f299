import { describe, expect, it } from 'vitest';
import type { ContainerSecurity, ContainerSpec } from '../contract.ts';
import { type Abilities, containerConfig, sandboxConfig, type SandboxTies } from './container-config.ts';

const able: Abilities = { refuses: new Set(), capabilities: ['CHOWN', 'NET_ADMIN'] };
const limited: Abilities = { ...able, refuses: new Set(['negativeOomScore', 'privileged', 'sysResource']) };
const ties: SandboxTies = { id: 's1', hostIpc: false, pidMode: '', cgroupParent: '/kubepods/pod1' };

function config(spec: Partial<ContainerSpec>, abilities = able, sandbox = ties): object {
  return containerConfig({ name: 'main', attempt: 0, image: 'i', ...spec }, 'sha256:1', { l: 'v' }, sandbox, abilities);
}

describe('containerConfig', () => {
  it.each<[string, Partial<ContainerSpec>, object]>([
    [
      'joins its sandbox',
      {},
      { HostConfig: { NetworkMode: 'container:s1', IpcMode: 'container:s1', PidMode: '', CgroupParent: '/kubepods/pod1' } },
    ],
    ['command and arguments', { command: ['a'], args: ['b'] }, { Entrypoint: ['a'], Cmd: ['b'] }],
    [
      'environment',
      {
        env: [
          ['A', '1'],
          ['B', 'x=y'],
        ],
      },
      { Env: ['A=1', 'B=x=y'] },
    ],
    ['memory without swap', { resources: { memoryBytes: 5 } }, { HostConfig: { Memory: 5, MemorySwap: 5 } }],
    ['half a processor', { resources: { cpuQuotaMicros: 50_000 } }, { HostConfig: { CpuPeriod: 100_000, CpuQuota: 50_000 } }],
    ['user and group', { security: { user: 1, group: 2 } }, { User: '1:2' }],
    ['no seccomp profile unless asked for', {}, { HostConfig: { SecurityOpt: ['seccomp=unconfined'] } }],
    ['the engine’s profile', { security: { seccomp: 'runtime-default' } }, { HostConfig: { SecurityOpt: [] } }],
    ['a profile of one’s own', { security: { seccomp: { profileJson: '{}' } } }, { HostConfig: { SecurityOpt: ['seccomp={}'] } }],
    [
      'no new privileges',
      { security: { noNewPrivileges: true, seccomp: 'runtime-default' } },
      { HostConfig: { SecurityOpt: ['no-new-privileges'] } },
    ],
    ['privileged', { security: { privileged: true } }, { HostConfig: { Privileged: true, CapAdd: [] } }],
    ['nothing restarts by itself', {}, { HostConfig: { RestartPolicy: { Name: 'no' } } }],
    [
      'a mount of its own, private as the engine sees fit',
      { mounts: [{ hostPath: '/', containerPath: '/host' }] },
      { HostConfig: { Mounts: [{ Type: 'bind', Source: '/', Target: '/host', ReadOnly: false }] } },
    ],
    [
      'a mount that follows the host',
      { mounts: [{ hostPath: '/h', containerPath: '/c', readOnly: true, propagation: 'HostToContainer' }] },
      { HostConfig: { Mounts: [{ Type: 'bind', Source: '/h', Target: '/c', ReadOnly: true, BindOptions: { Propagation: 'rslave' } }] } },
    ],
  ])('%s', (_, spec, wanted) => {
    expect(config(spec)).toMatchObject(wanted);
  });

  it('leaves out what the image is to decide', () => {
    expect(Object.keys(config({}))).not.toEqual(expect.arrayContaining(['Entrypoint']));
    expect(config({})).not.toHaveProperty('Cmd');
    expect(config({})).not.toHaveProperty('User');
    expect(config({})).not.toHaveProperty('WorkingDir');
  });

  it.each<[string, Partial<ContainerSpec>, object]>([
    ['a negative OOM score', { resources: { oomScoreAdj: -997 } }, { OomScoreAdj: 0 }],
    ['a positive one stays', { resources: { oomScoreAdj: 5 } }, { OomScoreAdj: 5 }],
    ['privileged', { security: { privileged: true } }, { Privileged: false, CapAdd: ['CHOWN', 'NET_ADMIN'], MaskedPaths: [] }],
    ['all capabilities', { security: { addCapabilities: ['ALL'] } }, { CapAdd: ['CHOWN', 'NET_ADMIN'] }],
    ['the missing capability', { security: { addCapabilities: ['SYS_RESOURCE', 'net_admin'] } }, { CapAdd: ['NET_ADMIN'] }],
  ])('does without: %s', (_, spec, wanted) => {
    expect(config(spec, limited)).toMatchObject({ HostConfig: wanted });
  });

  it.each<[string, ContainerSecurity, object]>([
    ['the engine’s AppArmor profile', { appArmor: 'runtime-default', seccomp: 'runtime-default' }, { SecurityOpt: [] }],
    ['no AppArmor profile', { appArmor: 'unconfined', seccomp: 'runtime-default' }, { SecurityOpt: ['apparmor=unconfined'] }],
    ['a profile of the host', { appArmor: { profile: 'own' }, seccomp: 'runtime-default' }, { SecurityOpt: ['apparmor=own'] }],
    ['numbers', { user: 1, group: 2, supplementalGroups: [2, 3] }, { GroupAdd: ['2', '3'] }],
  ])('%s', (_, security, wanted) => {
    expect(config({ security })).toMatchObject({ HostConfig: wanted });
  });

  it.each<[SandboxTies['pidMode'], string]>([
    ['pod', 'container:s1'],
    ['host', 'host'],
    ['', ''],
  ])('process namespace %s', (pidMode, wanted) => {
    expect(config({}, able, { ...ties, pidMode })).toMatchObject({ HostConfig: { PidMode: wanted } });
  });
});

describe('sandboxConfig', () => {
  const pod = { name: 'a', namespace: 'b', uid: 'c' };

  it('has no network of the engine’s, and protects itself from the OOM killer where it may', () => {
    const spec = { pod, attempt: 0, hostname: 'a' };
    expect(sandboxConfig(spec, 'p', {}, able)).toMatchObject({ Hostname: 'a', HostConfig: { NetworkMode: 'none', OomScoreAdj: -998 } });
    expect(sandboxConfig(spec, 'p', {}, limited)).toMatchObject({ HostConfig: { OomScoreAdj: 0 } });
  });

  it('uses the host’s name with the host’s network', () => {
    const body = sandboxConfig({ pod, attempt: 0, hostname: 'a', hostNetwork: true }, 'p', {}, able);
    expect(body).toMatchObject({ HostConfig: { NetworkMode: 'host' } });
    expect(body).not.toHaveProperty('Hostname');
  });
});
