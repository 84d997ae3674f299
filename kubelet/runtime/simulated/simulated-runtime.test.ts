import { describe, expect, it } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { type Behaviour, conformanceCases } from '../conformance.ts';
import { type PodIdentity, RuntimeError } from '../contract.ts';
import { endsAfter, type Program } from './program.ts';
import { SimulatedRuntime } from './simulated-runtime.ts';

const image = 'coxswain/conformance:1';
const { signal } = new AbortController();

const programs: Record<Exclude<Behaviour, 'missing'>, Program> = {
  runs: async ({ print, terminated }) => {
    await print('started\n');
    await terminated;
    return 0;
  },
  deaf: async ({ print, clock, killed }) => {
    await print('started\n');
    await clock.sleep(Number.MAX_SAFE_INTEGER, killed);
    return 0;
  },
  fails: async ({ print }) => {
    for (const line of [1, 2, 3, 4, 5]) await print(`line ${line}\n`);
    await print('oops\n', 'stderr');
    return 3;
  },
  echo: async ({ stdin, print }) => {
    for await (const bytes of stdin) await print(Buffer.from(bytes).toString());
    return 0;
  },
  serves: async ({ print, listen, terminated }) => {
    listen(8_080, (connection) => connection.once('data', () => connection.end('hello\n')));
    await print('started\n');
    await terminated;
    return 0;
  },
  hangs: endsAfter(60_000, 0),
  says: async ({ print }) => {
    await print('out\n');
    await print('err\n', 'stderr');
    return 5;
  },
};

describe('conformance of the simulated runtime', () => {
  it.each(conformanceCases.map((one) => [one.name, one] as const))('%s', async (_, { run }) => {
    const clock = new FakeClock();
    const runtime = new SimulatedRuntime(clock, { programs, images: [image] });
    await run({ runtime, image, command: (behaviour) => [behaviour], pass: (ms) => clock.advance(ms), signal });
  });
});

describe('simulated runtime', () => {
  const pod: PodIdentity = { name: 'a', namespace: 'default', uid: 'u1' };

  it('ends a container when the clock says so', async () => {
    const clock = new FakeClock();
    const runtime = new SimulatedRuntime(clock, { default: endsAfter(5_000, 7), images: [image] });
    const sandbox = await runtime.createSandbox({ pod, attempt: 0, hostname: 'a' });
    const id = await runtime.createContainer(sandbox.id, { name: 'main', attempt: 0, image });
    await runtime.startContainer(id);
    await clock.advance(4_999);
    expect((await runtime.podStatus('u1'))?.containers[0]?.state).toBe('running');
    await clock.advance(1);
    expect((await runtime.podStatus('u1'))?.containers[0]).toMatchObject({ state: 'exited', exitCode: 7 });
  });

  it('fails when it is told to, and only then', async () => {
    let faults = 1;
    const fault = (operation: string): RuntimeError | undefined =>
      operation === 'createSandbox' && faults-- > 0 ? new RuntimeError('Network', 'no network today') : undefined;
    const runtime = new SimulatedRuntime(new FakeClock(), { fault });
    await expect(runtime.createSandbox({ pod, attempt: 0, hostname: 'a' })).rejects.toThrow('no network today');
    expect(await runtime.pods()).toEqual([]);
    expect((await runtime.createSandbox({ pod, attempt: 0, hostname: 'a' })).ips).toEqual(['10.244.0.2']);
  });

  it('gives addresses of its range and uses them again', async () => {
    const runtime = new SimulatedRuntime(new FakeClock());
    await runtime.setPodCidrs(['10.9.8.0/24']);
    const first = await runtime.createSandbox({ pod, attempt: 0, hostname: 'a' });
    const second = await runtime.createSandbox({ pod: { ...pod, uid: 'u2' }, attempt: 0, hostname: 'b' });
    expect([first.ips, second.ips]).toEqual([['10.9.8.2'], ['10.9.8.3']]);
    await runtime.stopSandbox(first.id);
    const third = await runtime.createSandbox({ pod: { ...pod, uid: 'u3' }, attempt: 0, hostname: 'c' });
    expect(third.ips).toEqual(['10.9.8.2']);
  });
});
