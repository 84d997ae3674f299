// Makes sure that a container's image is on the node, by its pull policy. Failures back off for each pod and image (10 s, doubling to
// 300 s); pulls follow one another, as upstream's default, or run side by side where the node says so.
import type { Clock } from '#base/clock.ts';
import { formatDuration } from '#base/duration.ts';
import { Semaphore } from '#base/semaphore.ts';
import { isRuntimeError, type RuntimeError } from '../runtime/contract.ts';
import type { ImageStore, StoredImage } from '../runtime/image-contract.ts';
import { credentialsFor, type OfferedCredentials, type PullSecret } from './credentials.ts';
import type { ImageAccess } from './image-access.ts';
import { planImage, type PullPolicy } from './plan.ts';
import type { PulledImages } from './pulled-images.ts';
import { type ImageReference, InvalidReference, parseReference } from './reference.ts';

export type ImageErrorReason =
  | 'ErrImagePull'
  | 'ImagePullBackOff'
  | 'ErrImageNeverPull'
  | 'InvalidImageName'
  | 'ImageInspectError'
  | 'RegistryUnavailable';

/** Why a container waits for its image: `reason` and `message` go into its waiting state. */
export class ImageError extends Error {
  override readonly name = 'ImageError';
  readonly reason: ImageErrorReason;
  /** When trying again makes sense; undefined: not by itself. */
  readonly retryAfterMs: number | undefined;

  constructor(reason: ImageErrorReason, message: string, options: { retryAfterMs?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.reason = reason;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** An event about the container, in upstream's words. */
export interface ImageNotice {
  readonly type: 'Normal' | 'Warning';
  readonly reason: 'Pulling' | 'Pulled' | 'Failed' | 'BackOff' | 'ErrImageNeverPull' | 'InspectFailed';
  readonly message: string;
}

export interface ImageWish {
  readonly podUid: string;
  /** As in the container. */
  readonly image: string;
  readonly policy: PullPolicy;
  readonly secrets: readonly PullSecret[];
  readonly notify: (notice: ImageNotice) => void;
}

export interface ImagePullerDeps {
  readonly images: ImageStore;
  readonly clock: Clock;
  /** Where is noted what was pulled. */
  readonly pulled?: Pick<PulledImages, 'add'>;
  /** Who may use what is there; default: everybody. */
  readonly access?: Pick<ImageAccess, 'allows' | 'begin' | 'fail' | 'came' | 'isHosts'>;
  /** Told of every pull that came to its end. */
  readonly onPulled?: (sizeBytes: number, tookMs: number) => void;
  /** How many pulls run at a time; default 1, as upstream. */
  readonly maxParallel?: number;
}

const backOffInitialMs = 10_000;
const backOffMaxMs = 300_000;

/** What is on the node under the name, and the same where the pod may use it. */
interface Found {
  readonly present: StoredImage | undefined;
  readonly usable: StoredImage | undefined;
}

interface Pulled {
  readonly image: StoredImage;
  /** Undefined: nobody's name was enough. */
  readonly offered: OfferedCredentials | undefined;
}

interface Failure {
  readonly delayMs: number;
  readonly atMs: number;
  readonly message: string;
}

export class ImagePuller {
  readonly #deps: ImagePullerDeps;
  /** By pod uid and image. */
  readonly #failures = new Map<string, Failure>();
  readonly #turns: Semaphore;

  constructor(deps: ImagePullerDeps) {
    this.#deps = deps;
    this.#turns = new Semaphore(deps.maxParallel ?? 1);
  }

  /** Answers the image to run. Throws ImageError. */
  async ensure(wish: ImageWish, signal: AbortSignal): Promise<StoredImage> {
    const reference = parse(wish);
    const present = await this.#find(wish, reference, signal);
    const usable = present !== undefined && (await this.#mayUse(present, wish, reference)) ? present : undefined;
    const nowMs = this.#deps.clock.monotonicMs();
    const failure = this.#failures.get(keyOf(wish));
    const backOffUntilMs = failure === undefined ? undefined : failure.atMs + failure.delayMs;
    const plan = planImage({ policy: wish.policy, isPresent: usable !== undefined, backOffUntilMs, nowMs });
    if (plan.kind === 'pull') return this.#pull(wish, reference, { present, usable }, signal);
    if (plan.kind === 'use' && usable !== undefined) {
      wish.notify({ type: 'Normal', reason: 'Pulled', message: presentMessage(wish.image) });
      return usable;
    }
    if (plan.kind === 'backOff') {
      const message = `Back-off pulling image ${quote(wish.image)}: ErrImagePull: ${failure?.message ?? ''}`;
      wish.notify({ type: 'Normal', reason: 'BackOff', message: `Back-off pulling image ${quote(wish.image)}` });
      throw new ImageError('ImagePullBackOff', message, { retryAfterMs: plan.ms });
    }
    const message = `Container image ${quote(wish.image)} is not present with pull policy of Never`;
    wish.notify({ type: 'Warning', reason: 'ErrImageNeverPull', message });
    throw new ImageError('ErrImageNeverPull', message);
  }

  /** Forgets the back-off of a pod that is gone. */
  forgetPod(podUid: string): void {
    for (const key of this.#failures.keys()) if (key.startsWith(`${podUid}_`)) this.#failures.delete(key);
  }

  async #find(wish: ImageWish, reference: ImageReference, signal: AbortSignal): Promise<StoredImage | undefined> {
    try {
      return await this.#deps.images.find(reference.text, signal);
    } catch (error) {
      if (!isRuntimeError(error)) throw error;
      const message = `Failed to inspect image ${quote(wish.image)}: ${error.message}`;
      wish.notify({ type: 'Warning', reason: 'InspectFailed', message });
      throw new ImageError('ImageInspectError', message, { cause: error });
    }
  }

  async #mayUse(image: StoredImage, { secrets }: ImageWish, reference: ImageReference): Promise<boolean> {
    return (await this.#deps.access?.allows(image.id, reference, secrets)) ?? true;
  }

  async #pull(wish: ImageWish, reference: ImageReference, { present, usable }: Found, signal: AbortSignal): Promise<StoredImage> {
    const { clock } = this.#deps;
    wish.notify({ type: 'Normal', reason: 'Pulling', message: `Pulling image ${quote(wish.image)}` });
    const askedMs = clock.monotonicMs();
    let startedMs = askedMs;
    try {
      const image = await this.#turns.run(async () => {
        startedMs = clock.monotonicMs();
        // Somebody else may have pulled it while this waited for its turn.
        const arrived = wish.policy === 'IfNotPresent' ? await this.#deps.images.find(reference.text, signal) : undefined;
        if (arrived !== undefined && (await this.#mayUse(arrived, wish, reference))) return arrived;
        return this.#pullAnew(wish, reference, present, signal);
      });
      this.#failures.delete(keyOf(wish));
      const endMs = clock.monotonicMs();
      this.#deps.onPulled?.(image.sizeBytes, endMs - startedMs);
      const took = `${formatDuration(endMs - startedMs)} (${formatDuration(endMs - askedMs)} including waiting)`;
      const message = `Successfully pulled image ${quote(wish.image)} in ${took}. Image size: ${image.sizeBytes} bytes.`;
      wish.notify({ type: 'Normal', reason: 'Pulled', message });
      return image;
    } catch (error) {
      if (!isRuntimeError(error)) throw error;
      if (usable !== undefined && isUnreachable(error)) {
        // Upstream refuses here. A cluster that runs what its host built must go on when no registry is in reach.
        const message = `${presentMessage(wish.image)}; its registry could not be reached: ${error.message}`;
        wish.notify({ type: 'Normal', reason: 'Pulled', message });
        return usable;
      }
      throw this.#failed(wish, error);
    }
  }

  /** What the host had under this name already and gives to everybody stays everybody's. */
  async #pullAnew(wish: ImageWish, reference: ImageReference, present: StoredImage | undefined, signal: AbortSignal): Promise<StoredImage> {
    const { pulled, access, clock } = this.#deps;
    const { image, offered } = await this.#pullWithSecrets(wish, reference, signal);
    const isNew = image.id !== present?.id;
    if (!isNew && access?.isHosts(image.id, reference) === true) await access.fail(reference);
    else await access?.came(image.id, reference, offered);
    if (isNew) await pulled?.add(reference.text, { id: image.id, pulledMs: clock.nowMs() });
    return image;
  }

  /** Tries each fitting secret, or nobody's name where none fits; the last refusal counts. */
  async #pullWithSecrets(wish: ImageWish, reference: ImageReference, signal: AbortSignal): Promise<Pulled> {
    const { images, access } = this.#deps;
    const offers = credentialsFor(reference, wish.secrets);
    if (offers.length === 0) return { image: await images.pull(reference.text, {}, signal), offered: undefined };
    await access?.begin(reference);
    let refusal: unknown;
    for (const offered of offers) {
      try {
        return { image: await images.pull(reference.text, { credentials: offered.credentials }, signal), offered };
      } catch (error) {
        refusal = error;
        if (!isRuntimeError(error, 'ImagePull')) break;
      }
    }
    // A pull that was only interrupted may yet come to its end in the engine.
    if (isRuntimeError(refusal, 'ImagePull')) await access?.fail(reference);
    throw refusal;
  }

  #failed(wish: ImageWish, error: RuntimeError): ImageError {
    const { clock } = this.#deps;
    wish.notify({ type: 'Warning', reason: 'Failed', message: `Failed to pull image ${quote(wish.image)}: ${error.message}` });
    wish.notify({ type: 'Warning', reason: 'Failed', message: 'Error: ErrImagePull' });
    const before = this.#failures.get(keyOf(wish));
    const delayMs = before === undefined ? backOffInitialMs : Math.min(before.delayMs * 2, backOffMaxMs);
    this.#failures.set(keyOf(wish), { delayMs, atMs: clock.monotonicMs(), message: error.message });
    return new ImageError('ErrImagePull', error.message, { retryAfterMs: delayMs, cause: error });
  }
}

function parse(wish: ImageWish): ImageReference {
  try {
    return parseReference(wish.image);
  } catch (error) {
    if (!(error instanceof InvalidReference)) throw error;
    const message = `Failed to apply default image tag ${quote(wish.image)}: ${error.message}`;
    wish.notify({ type: 'Warning', reason: 'InspectFailed', message });
    throw new ImageError('InvalidImageName', message, { cause: error });
  }
}

/** The registry did not answer at all, as against: it said no. */
function isUnreachable(error: RuntimeError): boolean {
  return /dial tcp|no such host|connection refused|i\/o timeout|network is unreachable|TLS handshake timeout|Client\.Timeout|server misbehaving|no route to host/i.test(
    error.message,
  );
}

function presentMessage(image: string): string {
  return `Container image ${quote(image)} already present on machine and can be accessed by the pod`;
}

/** As Go prints short durations: `393ms`, `1.204s`. */
function keyOf(wish: ImageWish): string {
  return `${wish.podUid}_${wish.image}`;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
