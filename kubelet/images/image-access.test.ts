import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLog } from '#base/log.ts';
import { RuntimeError } from '../runtime/contract.ts';
import type { PullOptions, StoredImage } from '../runtime/image-contract.ts';
import { SimulatedImages } from '../runtime/simulated/simulated-images.ts';
import type { PullSecret } from './credentials.ts';
import { type AccessSettings, ImageAccess, type VerificationPolicy } from './image-access.ts';
import { ImagePuller, type ImageWish } from './image-puller.ts';
import { parseReference } from './reference.ts';

const { signal } = new AbortController();
let folder = '';
let count = 0;

beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'image-access-'))));
afterAll(() => rm(folder, { recursive: true }));

function secret(name: string, password: string): PullSecret {
  const text = JSON.stringify({ auths: { 'reg.io': { username: 'me', password } } });
  const data = { '.dockerconfigjson': Buffer.from(text).toString('base64') };
  return { type: 'kubernetes.io/dockerconfigjson', data, metadata: { uid: `uid of ${name}`, namespace: 'ns', name } };
}

/** Gives `private` images for the right word only, and counts how often it was asked. */
class Registry extends SimulatedImages {
  asked = 0;
  isAway = false;

  override async pull(reference: string, options: PullOptions): Promise<StoredImage> {
    this.asked++;
    if (this.isAway) throw new RuntimeError('ImagePull', 'dial tcp: connection refused');
    if (reference.includes('private') && options.credentials?.password !== 'right') throw new RuntimeError('ImagePull', 'unauthorized');
    return super.pull(reference, options);
  }
}

interface Rig {
  readonly registry: Registry;
  /** What it ends with: `used`, `pulled` or the reason for which it does not. */
  readonly ensure: (image: string, secrets?: readonly PullSecret[], policy?: ImageWish['policy']) => Promise<string>;
  readonly path: string;
}

async function rig(
  settings?: AccessSettings,
  registry = new Registry(['reg.io/host/private:1', 'built:1'], true),
  path?: string,
): Promise<Rig> {
  const own = path ?? join(folder, String(count++));
  const access = new ImageAccess(own, silentLog, settings);
  await access.load(async (id) => (await registry.list()).some((one) => one.id === id));
  const puller = new ImagePuller({ images: registry, clock: new FakeClock(), access });
  const ensure: Rig['ensure'] = async (image, secrets = [], policy = 'IfNotPresent') => {
    const before = registry.asked;
    try {
      await puller.ensure({ podUid: `u${count++}`, image, policy, secrets, notify: () => undefined }, signal);
    } catch (error) {
      return (error as { reason: string }).reason;
    }
    return registry.asked > before ? 'pulled' : 'used';
  };
  return { registry, ensure, path: own };
}

const [right, alike, wrong] = [secret('right', 'right'), secret('alike', 'right'), secret('wrong', 'wrong')];

describe('an image that was pulled with a secret', () => {
  test('is for those who show it, or the same words', async () => {
    const { ensure, registry } = await rig();
    expect(await ensure('reg.io/private:1', [right])).toBe('pulled');
    expect(await ensure('reg.io/private:1', [right])).toBe('used');
    expect(await ensure('reg.io/private:1', [alike])).toBe('used');
    expect(await ensure('reg.io/private:1', [{ ...alike, ...secret('alike', 'changed'), metadata: alike.metadata ?? {} }])).toBe('used');
    expect(await ensure('reg.io/private:1', [wrong])).toBe('ErrImagePull');
    expect(await ensure('reg.io/private:1')).toBe('ErrImagePull');
    expect(await ensure('reg.io/private:1', [], 'Never')).toBe('ErrImageNeverPull');
    expect(await ensure('reg.io/private:1', [right], 'Never')).toBe('used');
    registry.isAway = true;
    expect(await ensure('reg.io/private:1', [], 'Always'), 'a registry that is away opens nothing').toBe('ErrImagePull');
    expect(await ensure('reg.io/private:1', [right], 'Always')).toBe('pulled');
  });

  test('is for everybody once the registry gave it to nobody in particular', async () => {
    const { ensure } = await rig();
    expect(await ensure('reg.io/open:1', [wrong])).toBe('pulled');
    expect(await ensure('reg.io/open:1')).toBe('pulled');
    expect(await ensure('reg.io/open:1')).toBe('used');
    expect(await ensure('reg.io/open:1', [secret('other', 'other')])).toBe('used');
  });

  test('stays so under the next kubelet, and one that is gone is forgotten', async () => {
    const { ensure, registry, path } = await rig();
    expect(await ensure('reg.io/private:1', [right])).toBe('pulled');
    const next = await rig(undefined, registry, path);
    expect(await next.ensure('reg.io/private:1', [], 'Never')).toBe('ErrImageNeverPull');
    expect(await next.ensure('reg.io/private:1', [right])).toBe('used');
    await registry.remove('reg.io/private:1');
    const access = new ImageAccess(path, silentLog);
    await access.load(() => Promise.resolve(false));
    expect(await access.allows('any', parseReference('reg.io/private:1'), [])).toBe(true);
  });

  test('is nobody’s while it is on its way: a kubelet that is killed then leaves no open door', async () => {
    const path = join(folder, String(count++));
    const access = new ImageAccess(path, silentLog);
    const reference = parseReference('reg.io/private:1');
    await access.begin(reference);
    const next = new ImageAccess(path, silentLog);
    await next.load(() => Promise.resolve(true));
    expect(await next.allows('came meanwhile', reference, [right])).toBe(false);
    await next.fail(reference);
    expect(await next.allows('came meanwhile', reference, [])).toBe(true);
  });
});

const allowlist = ['reg.io/host/*', 'docker.io/library/built'];

test.each<[policy: VerificationPolicy, allowlist: readonly string[], host: string, built: string, pulled: string]>([
  ['NeverVerify', [], 'used', 'used', 'used'],
  ['NeverVerifyPreloadedImages', [], 'used', 'used', 'ErrImagePull'],
  ['NeverVerifyAllowlistedImages', allowlist, 'used', 'used', 'ErrImagePull'],
  ['NeverVerifyAllowlistedImages', ['reg.io/host'], 'ErrImagePull', 'pulled', 'ErrImagePull'],
  ['AlwaysVerify', allowlist, 'ErrImagePull', 'pulled', 'ErrImagePull'],
])('%s, with %j', async (policy, list, host, built, pulled) => {
  const { ensure } = await rig({ policy, allowlist: list });
  expect(await ensure('reg.io/host/private:1')).toBe(host);
  expect(await ensure('built:1')).toBe(built);
  await ensure('reg.io/private:1', [right]);
  expect(await ensure('reg.io/private:1')).toBe(pulled);
});

test.each<[policy: VerificationPolicy, allowlist: readonly string[], again: string, others: string]>([
  ['NeverVerifyPreloadedImages', [], 'used', 'used'],
  ['NeverVerifyAllowlistedImages', allowlist, 'used', 'used'],
  ['NeverVerifyAllowlistedImages', [], 'used', 'ErrImagePull'],
  ['AlwaysVerify', [], 'used', 'ErrImagePull'],
])('%s, with %j: what the host had and a pod pulled again', async (policy, list, again, others) => {
  const { ensure, registry, path } = await rig({ policy, allowlist: list });
  expect(await ensure('reg.io/host/private:1', [right], 'Always')).toBe('pulled');
  expect(await ensure('reg.io/host/private:1', [right])).toBe(again);
  expect(await ensure('reg.io/host/private:1')).toBe(others);
  const next = await rig({ policy, allowlist: list }, registry, path);
  expect(await next.ensure('reg.io/host/private:1', [right])).toBe(again);
});
