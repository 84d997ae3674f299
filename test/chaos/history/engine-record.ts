// Records which containers ran on hosts, and from when to when, by what their engines say.
//
// How it works: the engine's events are followed through its socket, which a cut cable does not touch. Who connects listens first and looks
// around then, so that nothing falls between; what both tell of is taken once. When an engine is gone its host may be, too: everything
// that ran there ended then. Where only the engine was gone, it is asked when those ended that run no more.
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { createInterface } from 'node:readline';
import { containerNameLabel, podNameLabel, podNamespaceLabel, podUidLabel } from '#kubelet/runtime/labels.ts';
import type { Host as TestHost } from '#test/testbed/host.ts';
import type { Run } from './operation.ts';

type Host = Pick<TestHost, 'name' | 'pid' | 'dockerSocket'>;

interface EngineEvent {
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  readonly timeNano: number;
}

interface Inspected {
  readonly Id: string;
  readonly Config: { readonly Labels: Readonly<Record<string, string>> };
  readonly State: { readonly Running: boolean; readonly StartedAt: string; readonly FinishedAt: string };
}

const againMs = 50;
const filters = encodeURIComponent(JSON.stringify({ type: ['container'], event: ['start', 'die'] }));

export class EngineRecord implements AsyncDisposable {
  readonly #runs: Run[] = [];
  /** By the engine's id: where in `#runs` the container's last run is. */
  readonly #places = new Map<string, number>();
  readonly #stop = new AbortController();
  #following: Promise<unknown> = Promise.resolve();

  /** Resolves when it knows what runs, and hears of all that follows. Hosts may go and come back. */
  static async follow(hosts: readonly Host[]): Promise<EngineRecord> {
    const record = new EngineRecord();
    const ready = hosts.map((host) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      record.#following = Promise.all([record.#following, record.#follow(host, resolve)]);
      return promise;
    });
    await Promise.all(ready);
    return record;
  }

  get runs(): readonly Run[] {
    return this.#runs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#following;
  }

  async #follow(host: Host, ready: () => void): Promise<void> {
    const { signal } = this.#stop;
    /** The host's first process when its engine was last there; 0: never so far. */
    let boot = 0;
    let lostMs = Number.POSITIVE_INFINITY;
    while (!signal.aborted) {
      const { pid } = host;
      try {
        const events = await get(host, `/events?filters=${filters}`, signal);
        const wasOff = boot !== 0 && boot !== pid;
        if (wasOff) this.#endAll(host, lostMs);
        await this.#look(host, wasOff ? lostMs : Number.POSITIVE_INFINITY, signal);
        boot = pid;
        lostMs = Number.POSITIVE_INFINITY;
        ready();
        for await (const line of createInterface({ input: events })) this.#take(host, JSON.parse(line) as EngineEvent);
      } catch {
        // The engine is not there, or not any more: it is asked again.
      }
      lostMs = Math.min(lostMs, Date.now());
      if (host.pid === 0) this.#endAll(host, lostMs);
      await sleep(againMs);
    }
  }

  #take(host: Host, { Action, Actor, timeNano }: EngineEvent): void {
    const atMs = timeNano / 1e6;
    if (Action === 'die') this.#end(Actor.ID, atMs);
    else this.#begin(host, Actor.ID, Actor.Attributes, atMs);
  }

  /** Takes over what the engine has; what is over there ended no later than `latestMs`. */
  async #look(host: Host, latestMs: number, signal: AbortSignal): Promise<void> {
    const listed = JSON.parse(await read(host, '/containers/json?all=1', signal)) as readonly { readonly Id: string }[];
    const there = new Set<string>();
    for (const { Id } of listed) {
      const text = await read(host, `/containers/${Id}/json`, signal);
      const { Config, State } = JSON.parse(text) as Partial<Inspected>;
      // One that was removed meanwhile.
      if (Config === undefined || State === undefined) continue;
      there.add(Id);
      if (!(Date.parse(State.StartedAt) > 0)) continue;
      if (!this.#places.has(Id)) this.#begin(host, Id, Config.Labels, Date.parse(State.StartedAt));
      if (!State.Running) this.#end(Id, Math.min(Date.parse(State.FinishedAt), latestMs));
    }
    const nowMs = Math.min(Date.now(), latestMs);
    for (const run of this.#openOn(host)) if (!there.has(run.id)) this.#end(run.id, nowMs);
  }

  #begin(host: Host, id: string, labels: Readonly<Record<string, string>>, startMs: number): void {
    const container = labels[containerNameLabel];
    const before = this.#runs[this.#places.get(id) ?? -1];
    // Sandboxes run nothing of a pod.
    if (container === undefined || (before !== undefined && (before.endMs === undefined || before.endMs >= startMs))) return;
    const [pod = '', namespace = '', uid = ''] = [labels[podNameLabel], labels[podNamespaceLabel], labels[podUidLabel]];
    this.#places.set(id, this.#runs.push({ host: host.name, namespace, pod, uid, container, id, startMs, endMs: undefined }) - 1);
  }

  #end(id: string, endMs: number): void {
    const at = this.#places.get(id) ?? -1;
    const run = this.#runs[at];
    if (run?.endMs === undefined && run !== undefined) this.#runs[at] = { ...run, endMs };
  }

  #endAll(host: Host, endMs: number): void {
    for (const { id } of this.#openOn(host)) this.#end(id, endMs);
  }

  #openOn({ name }: Host): readonly Run[] {
    return this.#runs.filter(({ host, endMs }) => host === name && endMs === undefined);
  }
}

/** The engine's answer, as it comes. */
function get({ dockerSocket }: Host, path: string, signal: AbortSignal): Promise<NodeJS.ReadableStream> {
  const { promise, resolve, reject } = Promise.withResolvers<NodeJS.ReadableStream>();
  request({ socketPath: dockerSocket, path, signal }, resolve).on('error', reject).end();
  return promise;
}

async function read(host: Host, path: string, signal: AbortSignal): Promise<string> {
  let text = '';
  for await (const chunk of await get(host, path, signal)) text += chunk.toString();
  return text;
}
