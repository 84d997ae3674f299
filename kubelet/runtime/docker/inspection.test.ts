import { describe, expect, it, test } from 'vitest';
import { containerStatus, identityOf, type InspectedContainer, sandboxStatus } from './inspection.ts';
import { containerName, decodeLabels, encodeLabels, sandboxIdLabel, sandboxName } from './names.ts';

const pod = { name: 'web-1', namespace: 'shop', uid: 'u-1' };
const created = '2026-01-01T00:00:00.5Z';
const never = '0001-01-01T00:00:00Z';

interface State extends Partial<InspectedContainer['State']> {}

function inspected(state: State, kind: 'podsandbox' | 'container' = 'container', networkMode = 'none'): InspectedContainer {
  const labels = encodeLabels({
    cluster: 'c',
    kind,
    pod,
    attempt: 3,
    labels: { app: 'web' },
    annotations: { 'io.kubernetes.container.hash': 'h' },
    extra: { [sandboxIdLabel]: 's1' },
    ...(kind === 'container' ? { container: 'main' } : {}),
  });
  const defaults = {
    Status: 'created',
    Running: false,
    OOMKilled: false,
    Pid: 0,
    ExitCode: 0,
    Error: '',
    StartedAt: never,
    FinishedAt: never,
  };
  return {
    Id: 'id1',
    Created: created,
    Image: 'sha256:1',
    LogPath: '',
    ResolvConfPath: '',
    State: { ...defaults, ...state },
    Config: { Labels: labels, Tty: false, OpenStdin: false },
    HostConfig: { NetworkMode: networkMode, IpcMode: '', PidMode: '', CgroupParent: '' },
  };
}

function statusOf(state: State): ReturnType<typeof containerStatus> {
  const raw = inspected(state);
  const identity = identityOf(raw);
  if (identity === undefined) throw new Error('no identity');
  return containerStatus(raw, identity);
}

const started = '2026-01-01T00:00:01Z';
const finished = '2026-01-01T00:00:09Z';

test('limits come as numbers that stand for some', () => {
  const raw = inspected({ Running: true });
  const identity = identityOf(raw) ?? expect.fail();
  const HostConfig = { ...raw.HostConfig, CpuShares: 2, CpuPeriod: 0, CpuQuota: 0, Memory: 1_024 };
  expect(containerStatus({ ...raw, HostConfig }, identity).resources).toEqual({ cpuShares: 2, memoryBytes: 1_024 });
});

describe('containerStatus', () => {
  it.each<[string, State, object]>([
    ['created', {}, { state: 'created', exitCode: undefined, reason: undefined, startedAtMs: undefined }],
    [
      'running',
      { Running: true, Pid: 7, StartedAt: started },
      { state: 'running', pid: 7, startedAtMs: Date.parse(started), exitCode: undefined },
    ],
    [
      'completed',
      { StartedAt: started, FinishedAt: finished },
      { state: 'exited', exitCode: 0, reason: 'Completed', finishedAtMs: Date.parse(finished) },
    ],
    ['failed', { StartedAt: started, FinishedAt: finished, ExitCode: 3 }, { exitCode: 3, reason: 'Error' }],
    [
      'out of memory',
      { StartedAt: started, FinishedAt: finished, ExitCode: 137, OOMKilled: true },
      { reason: 'OOMKilled', oomKilled: true },
    ],
    ['a child out of memory', { StartedAt: started, FinishedAt: finished, OOMKilled: true }, { reason: 'Completed', oomKilled: true }],
    [
      'never started',
      { ExitCode: 127, Error: 'no such file' },
      { state: 'exited', exitCode: 127, reason: 'ContainerCannotRun', message: 'no such file', startedAtMs: Date.parse(created) },
    ],
    ['ended before it began', { StartedAt: finished, FinishedAt: started }, { finishedAtMs: Date.parse(finished) }],
  ])('%s', (_, state, wanted) => {
    expect(statusOf(state)).toMatchObject(wanted);
  });

  it('carries what the labels say', () => {
    const annotations = { 'io.kubernetes.container.hash': 'h' };
    expect(statusOf({})).toMatchObject({ name: 'main', attempt: 3, sandboxId: 's1', annotations });
    expect(statusOf({}).labels).toEqual({
      app: 'web',
      'io.kubernetes.pod.name': 'web-1',
      'io.kubernetes.pod.namespace': 'shop',
      'io.kubernetes.pod.uid': 'u-1',
      'io.kubernetes.container.name': 'main',
    });
  });
});

describe('sandboxStatus', () => {
  it.each<[string, State, string, readonly string[] | undefined, object]>([
    [
      'running with a network',
      { Running: true, Pid: 9 },
      'none',
      ['10.1.1.1'],
      { state: 'ready', ips: ['10.1.1.1'], netnsPath: '/proc/9/ns/net' },
    ],
    ['running, killed before its network was made', { Running: true, Pid: 9 }, 'none', undefined, { state: 'notReady', ips: [] }],
    ['running in the host network', { Running: true, Pid: 9 }, 'host', undefined, { state: 'ready', hostNetwork: true, ips: [] }],
    ['ended', { StartedAt: started }, 'none', ['10.1.1.1'], { state: 'notReady', ips: [], pid: undefined }],
  ])('%s', (_, state, mode, ips, wanted) => {
    const raw = inspected(state, 'podsandbox', mode);
    const identity = identityOf(raw);
    expect(identity && sandboxStatus(raw, identity, ips)).toMatchObject(wanted);
  });
});

describe('names', () => {
  it('follow upstream', () => {
    expect(containerName('main', pod, 3)).toBe('k8s_main_web-1_shop_u-1_3');
    expect(sandboxName(pod, 0)).toBe('k8s_POD_web-1_shop_u-1_0');
  });

  it('leave containers of others alone', () => {
    expect(decodeLabels({ 'com.docker.compose.project': 'x' })).toBeUndefined();
  });
});
