// The folder (or the one file) of manifests that `staticPodPath` names. How it works:
// - The whole folder is looked at when the kernel says that something there changed, and every `checkMs` in case it did not say so. A file
//   that is as it was is not read again.
// - One that cannot be used is named in the log, once for each mistake, and disturbs no other. What it said before stands until the
//   next regular look: it may be half written. Then its pod ends, as upstream has it.
import { type FSWatcher, type Stats, statSync, watch } from 'node:fs';
import { lstat, readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Pod } from '#api/core/pod/pod.ts';
import type { V1Pod } from '#api/generated/types.ts';
import { Backoff } from '#base/backoff.ts';
import type { Clock } from '#base/clock.ts';
import { isAbort, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { fullNameOf } from '../pods/full-name.ts';
import { Wakeup } from '../pods/wakeup.ts';
import { documentOf, maxManifestBytes, type Origin, readPod } from './manifest.ts';
import type { CodecSource } from './codec-source.ts';

interface ManifestFolderDeps {
  /** Called with all pods after every scan. */
  readonly onPods: (pods: readonly Pod[]) => void;
  readonly codec: CodecSource;
  readonly clock: Clock;
  readonly log: Log;
}

export interface ManifestFolderOptions {
  /** A folder or a file. */
  readonly path: string;
  readonly nodeName: string;
  readonly checkMs: number;
  /** True for pods that another program on this host runs; called with unvalidated manifests. */
  readonly isOthers?: (manifest: V1Pod) => boolean;
}

interface Read {
  /** Changes when the file does. */
  readonly stamp: string;
  readonly pod: Pod | undefined;
  readonly problem: string | undefined;
}

const watchRetry = { initialMs: 1_000, maxMs: 20_000 };

export class ManifestFolder implements Service {
  readonly name = 'manifest folder';
  readonly #deps: ManifestFolderDeps;
  readonly #options: ManifestFolderOptions;
  readonly #wakeup = new Wakeup();
  readonly #backoff = new Backoff(watchRetry);
  #known = new Map<string, Read>();
  #watcher: FSWatcher | undefined;
  #watched = '';
  #watchNextMs = 0;
  #lastProblem: string | undefined;

  constructor(deps: ManifestFolderDeps, options: ManifestFolderOptions) {
    this.#deps = deps;
    this.#options = { ...options, path: options.path.replace(/(?<=.)\/+$/, '') };
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { clock } = this.#deps;
    const { checkMs } = this.#options;
    let nextMs = clock.monotonicMs();
    try {
      for (let isFirst = true; ; isFirst = false) {
        this.#watch();
        const isRegular = clock.monotonicMs() >= nextMs;
        if (isRegular) nextMs = clock.monotonicMs() + checkMs;
        await this.#look(isRegular, signal);
        if (isFirst) ready();
        const untilMs = this.#watcher === undefined ? Math.min(nextMs, this.#watchNextMs) : nextMs;
        await this.#wakeup.wait(Math.max(1, untilMs - clock.monotonicMs()), clock, signal);
      }
    } catch (error) {
      if (!isAbort(error, signal)) throw error;
    } finally {
      this.#unwatch();
    }
  }

  /** Watches what is at the path now. One file is watched through its folder: editors put a new one in its place. */
  #watch(): void {
    const { clock, log } = this.#deps;
    const found = statOf(this.#options.path);
    const folder = found?.isDirectory() === true ? this.#options.path : dirname(this.#options.path);
    const inode = folder === this.#options.path ? found : statOf(folder);
    const identity = `${folder} ${inode?.dev} ${inode?.ino}`;
    if (this.#watcher !== undefined && this.#watched === identity) return;
    this.#unwatch();
    if (clock.monotonicMs() < this.#watchNextMs) return;
    try {
      const watcher = watch(folder, (_, file) => {
        if (file === null || !basename(file).startsWith('.')) this.#wakeup.set();
      });
      watcher.on('error', (error) => {
        log.warn({ err: error, path: folder }, 'cannot watch the manifests any more');
        this.#unwatch();
        this.#wakeup.set();
      });
      this.#watcher = watcher;
      this.#watched = identity;
      this.#backoff.reset();
    } catch (error) {
      this.#watchNextMs = clock.monotonicMs() + this.#backoff.next();
      log.debug({ err: error, path: folder }, 'cannot watch the manifests');
    }
  }

  #unwatch(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  async #look(isRegular: boolean, signal: AbortSignal): Promise<void> {
    const { onPods, log } = this.#deps;
    let files: readonly string[] = [];
    let problem: string | undefined;
    try {
      files = await this.#files();
    } catch (error) {
      problem = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'path does not exist, ignoring' : textOf(error);
    }
    if (problem !== undefined && problem !== this.#lastProblem) log.warn({ path: this.#options.path, problem }, 'cannot read static pods');
    this.#lastProblem = problem;
    const reads = new Map<string, Read>();
    for (const file of files) {
      const read = await this.#read(file, isRegular);
      if (read !== undefined) reads.set(file, read);
    }
    signal.throwIfAborted();
    this.#known = reads;
    // Of two files with one pod, the later counts.
    const byName = new Map([...reads.values()].flatMap(({ pod }) => (pod === undefined ? [] : [[fullNameOf(pod), pod] as const])));
    onPods([...byName.values()]);
  }

  async #files(): Promise<readonly string[]> {
    const { path } = this.#options;
    const found = await stat(path);
    if (found.isFile()) return [path];
    if (!found.isDirectory()) throw new Error('path is not a directory or file');
    const names = await readdir(path);
    return names
      .filter((name) => !name.startsWith('.'))
      .sort()
      .map((name) => join(path, name));
  }

  /** Undefined for what is no manifest at all. */
  async #read(file: string, isRegular: boolean): Promise<Read | undefined> {
    const { log } = this.#deps;
    const before = this.#known.get(file);
    const found = await stat(file).catch(() => undefined);
    if (found === undefined) return undefined;
    const stamp = `${found.dev} ${found.ino} ${found.size} ${found.mtimeMs} ${found.ctimeMs}`;
    const isKept = before?.stamp === stamp && (before.problem === undefined || before.pod === undefined || !isRegular);
    if (isKept) return before;
    if (!found.isFile()) {
      if (before === undefined)
        log.warn({ file }, found.isDirectory() ? 'manifests in a folder below are not read' : 'neither a file nor a folder');
      return { stamp, pod: undefined, problem: undefined };
    }
    try {
      return { stamp, pod: await this.#pod(file, found.size), problem: undefined };
    } catch (error) {
      // Gone again: not a mistake.
      if ((await lstat(file).catch(() => undefined)) === undefined) return undefined;
      const problem = textOf(error);
      if (before?.problem !== problem) log.error({ file, problem }, 'a manifest cannot be used');
      return { stamp, pod: isRegular ? undefined : before?.pod, problem };
    }
  }

  /** Undefined for pods of other programs, which are not decoded. */
  async #pod(file: string, size: number): Promise<Pod | undefined> {
    if (size > maxManifestBytes) throw new Error(`the file is larger than ${maxManifestBytes} bytes`);
    const { clock, codec } = this.#deps;
    const bytes = await readFile(file);
    if (this.#options.isOthers?.(documentOf(bytes) as unknown as V1Pod) === true) return undefined;
    const origin: Origin = { kind: 'file', location: file, nodeName: this.#options.nodeName, nowMs: clock.nowMs() };
    return readPod(bytes, origin, await codec());
  }
}

/** Undefined for what cannot be looked at, whyever: the look itself says what is wrong. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
