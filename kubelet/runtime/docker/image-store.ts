import type { Clock } from '#base/clock.ts';
import { formatDuration } from '#base/duration.ts';
import { RuntimeError, type RuntimeErrorCode } from '../contract.ts';
import type { ImageStore, PullOptions, StoredImage } from '../image-contract.ts';
import type { Engine } from './engine.ts';
import { withProgress } from './with-progress.ts';

interface RawImage {
  readonly Id: string;
  readonly RepoTags: readonly string[] | null;
  readonly RepoDigests: readonly string[] | null;
  readonly Size: number;
  readonly Config?: { readonly User?: string } | null;
  readonly GraphDriver?: {
    readonly Name: string;
    readonly Data?: { readonly LowerDir?: string; readonly UpperDir?: string } | null;
  } | null;
}

interface PullLine {
  readonly status?: string;
  readonly id?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly error?: string;
}

const progressEveryMs = 500;
/** A pull that gets nothing for so long is given up, as by upstream's runtimes: pulls follow one another, so others wait for it. */
const stallMs = 300_000;

/** The images of the Docker Engine. What was built or loaded on this host is simply there. */
export class DockerImages implements ImageStore {
  readonly #engine: Engine;
  readonly #clock: Clock;

  constructor(engine: Engine, clock: Clock) {
    this.#engine = engine;
    this.#clock = clock;
  }

  async list(signal: AbortSignal): Promise<readonly StoredImage[]> {
    const images = await this.#engine.call<RawImage[]>('GET', '/images/json', {}, signal);
    return images.map(storedImage);
  }

  async find(reference: string, signal: AbortSignal): Promise<StoredImage | undefined> {
    const found = await this.#inspect(reference, signal);
    return found === undefined ? undefined : storedImage(found);
  }

  async layers(reference: string, signal: AbortSignal): Promise<readonly string[] | undefined> {
    const { Name, Data } = (await this.#inspect(reference, signal))?.GraphDriver ?? {};
    if (Name !== 'overlay2' || Data?.UpperDir === undefined) return undefined;
    return [Data.UpperDir, ...(Data.LowerDir ?? '').split(':').filter((folder) => folder !== '')];
  }

  async #inspect(reference: string, signal: AbortSignal): Promise<RawImage | undefined> {
    try {
      return await this.#engine.call<RawImage>('GET', `/images/${encodePath(reference)}/json`, {}, signal);
    } catch (error) {
      if (hasCode(error, 'NotFound')) return undefined;
      throw hasCode(error, 'Refused') ? new RuntimeError('ImageInspect', error.message, { cause: error }) : error;
    }
  }

  async pull(reference: string, options: PullOptions, signal: AbortSignal): Promise<StoredImage> {
    const { credentials, onProgress } = options;
    const auth = credentials && {
      username: credentials.username,
      password: credentials.password,
      auth: credentials.auth,
      identitytoken: credentials.identityToken,
      serveraddress: credentials.serverAddress,
    };
    try {
      const authCall = auth === undefined ? {} : { auth };
      // The engine takes `name:tag` and `name@digest` alike in fromImage.
      const call = { query: { fromImage: reference }, ...authCall };
      await withProgress(
        {
          limitMs: stallMs,
          stalled: () => new RuntimeError('ImagePull', `the pull of ${reference} has made no progress for ${formatDuration(stallMs)}`),
        },
        async (either, progressed) => {
          // A digest that it has it would not ask the registry for.
          if (reference.includes('@')) await this.#engine.call('GET', `/distribution/${encodePath(reference)}/json`, authCall, either);
          const answer = await this.#engine.stream('POST', '/images/create', call, either);
          await this.#followPull(answer as AsyncIterable<Buffer>, progressed, onProgress);
        },
        this.#clock,
        signal,
      );
    } catch (error) {
      if (signal.aborted) throw error;
      if (hasCode(error, 'NotFound') || hasCode(error, 'Refused') || hasCode(error, 'Conflict')) {
        throw new RuntimeError('ImagePull', error.message, { cause: error });
      }
      if (error instanceof RuntimeError) throw error;
      // It went away in the middle of the pull.
      throw new RuntimeError('Unavailable', `cannot reach the Docker Engine: ${String((error as Error).message)}`, { cause: error });
    }
    const image = await this.find(reference, signal);
    if (image === undefined) throw new RuntimeError('ImagePull', `image ${reference} was pulled, but is not there`);
    return image;
  }

  async remove(reference: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#engine.call('DELETE', `/images/${encodePath(reference)}`, {}, signal);
    } catch (error) {
      if (hasCode(error, 'NotFound')) return;
      throw hasCode(error, 'Conflict') ? new RuntimeError('InUse', error.message, { cause: error }) : error;
    }
  }

  async #followPull(
    answer: AsyncIterable<Buffer>,
    progressed: () => void,
    onProgress: ((line: string) => void) | undefined,
  ): Promise<void> {
    let rest = '';
    let saidAtMs = -progressEveryMs;
    for await (const chunk of answer) {
      progressed();
      const parts = (rest + chunk.toString('utf8')).split('\n');
      rest = parts.pop() ?? '';
      for (const part of parts) {
        if (part.trim() === '') continue;
        const line = JSON.parse(part) as PullLine;
        if (line.error !== undefined) throw new RuntimeError('ImagePull', line.error);
        const nowMs = this.#clock.monotonicMs();
        if (onProgress === undefined || nowMs - saidAtMs < progressEveryMs) continue;
        saidAtMs = nowMs;
        onProgress(progressText(line));
      }
    }
  }
}

function storedImage(raw: RawImage): StoredImage {
  const digests = (raw.RepoDigests ?? []).filter((digest) => !digest.startsWith('<none>'));
  return {
    id: raw.Id,
    tags: (raw.RepoTags ?? []).filter((tag) => !tag.startsWith('<none>')),
    digests,
    sizeBytes: raw.Size,
    user: raw.Config?.User ?? '',
    ref: digests[0] ?? raw.Id,
  };
}

function progressText({ id, status = '', progressDetail }: PullLine): string {
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
  const { current, total } = progressDetail ?? {};
  const amount = current !== undefined && total !== undefined ? ` ${megabytes(current)}/${megabytes(total)} MB` : '';
  return `${id === undefined ? '' : `${id}: `}${status}${amount}`;
}

function hasCode(error: unknown, code: RuntimeErrorCode): error is RuntimeError {
  return error instanceof RuntimeError && error.code === code;
}

/** Slashes stay: the engine takes the rest of the path as the name. */
function encodePath(reference: string): string {
  return reference.split('/').map(encodeURIComponent).join('/');
}
