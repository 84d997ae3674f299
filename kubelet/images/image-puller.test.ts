import { describe, expect, it } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { RuntimeError } from '../runtime/contract.ts';
import type { ImageStore, StoredImage } from '../runtime/image-contract.ts';
import { SimulatedImages } from '../runtime/simulated/simulated-images.ts';
import { type ImageError, type ImageNotice, ImagePuller, type ImageWish } from './image-puller.ts';

const { signal } = new AbortController();

function rig(images: ImageStore = new SimulatedImages(['here:1'], false)): {
  clock: FakeClock;
  notices: ImageNotice[];
  ensure: (image: string, policy: ImageWish['policy'], podUid?: string) => Promise<StoredImage>;
  why: (image: string, policy: ImageWish['policy'], podUid?: string) => Promise<ImageError>;
} {
  const clock = new FakeClock();
  const puller = new ImagePuller({ images, clock });
  const notices: ImageNotice[] = [];
  const ensure = (image: string, policy: ImageWish['policy'], podUid = 'u'): Promise<StoredImage> =>
    puller.ensure({ podUid, image, policy, secrets: [], notify: (notice) => notices.push(notice) }, signal);
  const why = async (...args: Parameters<typeof ensure>): Promise<ImageError> => {
    try {
      await ensure(...args);
    } catch (error) {
      return error as ImageError;
    }
    throw new Error('it did not fail');
  };
  return { clock, notices, ensure, why };
}

/** A registry that is not there. */
class Unreachable extends SimulatedImages {
  override async pull(): Promise<StoredImage> {
    throw new RuntimeError('ImagePull', 'Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host');
  }
}

/** Counts how many pulls run together. */
class SlowImages extends SimulatedImages {
  most = 0;
  #now = 0;

  override async pull(...args: Parameters<SimulatedImages['pull']>): Promise<StoredImage> {
    this.most = Math.max(this.most, ++this.#now);
    await new Promise((resolve) => setImmediate(resolve));
    this.#now--;
    return super.pull(...args);
  }
}

describe('ImagePuller', () => {
  it('uses what is there, unless it must ask', async () => {
    const { ensure, notices } = rig();
    expect((await ensure('here:1', 'IfNotPresent')).tags).toEqual(['here:1']);
    expect((await ensure('here:1', 'Never')).tags).toEqual(['here:1']);
    const message = 'Container image "here:1" already present on machine and can be accessed by the pod';
    expect(notices).toEqual([
      { type: 'Normal', reason: 'Pulled', message },
      { type: 'Normal', reason: 'Pulled', message },
    ]);
    await ensure('here:1', 'Always');
    expect(notices.slice(2)).toEqual([
      { type: 'Normal', reason: 'Pulling', message: 'Pulling image "here:1"' },
      {
        type: 'Normal',
        reason: 'Pulled',
        message: 'Successfully pulled image "here:1" in 0s (0s including waiting). Image size: 1000000 bytes.',
      },
    ]);
  });

  it.each([1, 2, Number.POSITIVE_INFINITY])('pulls %s at a time', async (maxParallel) => {
    const images = new SlowImages([], true);
    const puller = new ImagePuller({ images, clock: new FakeClock(), maxParallel });
    const wish = { podUid: 'u', policy: 'Always', secrets: [], notify: () => undefined } as const;
    const pulls = ['a:1', 'b:1', 'c:1'].map((image) => puller.ensure({ ...wish, image }, signal));
    await Promise.all(pulls);
    expect(images.most).toBe(Math.min(3, maxParallel));
  });

  it('says why it will not', async () => {
    const { why, notices } = rig();
    expect(await why('gone:1', 'Never')).toMatchObject({
      reason: 'ErrImageNeverPull',
      message: 'Container image "gone:1" is not present with pull policy of Never',
    });
    expect(await why('Not Valid', 'Always')).toMatchObject({
      reason: 'InvalidImageName',
      message: 'Failed to apply default image tag "Not Valid": couldn\'t parse image name "Not Valid": invalid reference format',
    });
    expect(notices.map(({ reason }) => reason)).toEqual(['ErrImageNeverPull', 'InspectFailed']);
  });

  it('backs off for each pod and image, doubling up to five minutes', async () => {
    const { why, clock, notices } = rig();
    const waits: (number | undefined)[] = [];
    for (let attempt = 0; attempt < 7; attempt++) {
      const failed = await why('gone:1', 'IfNotPresent');
      expect(failed.reason).toBe('ErrImagePull');
      waits.push(failed.retryAfterMs);
      await clock.advance((failed.retryAfterMs ?? 0) - 1);
      expect(await why('gone:1', 'IfNotPresent')).toMatchObject({ reason: 'ImagePullBackOff', retryAfterMs: 1 });
      await clock.advance(1);
    }
    expect(waits).toEqual([10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]);
    expect((await why('gone:1', 'IfNotPresent', 'another pod')).retryAfterMs).toBe(10_000);
    expect(notices[3]).toEqual({ type: 'Normal', reason: 'BackOff', message: 'Back-off pulling image "gone:1"' });
  });

  it('runs what is there when its registry is out of reach, but not what is not', async () => {
    const { ensure, why, notices } = rig(new Unreachable(['here:latest'], false));
    expect((await ensure('here', 'Always')).tags).toEqual(['here:latest']);
    expect(notices.at(-1)?.message).toMatch(
      /^Container image "here" already present on machine and can be accessed by the pod; its registry/,
    );
    expect((await why('gone', 'Always')).reason).toBe('ErrImagePull');
  });
});
