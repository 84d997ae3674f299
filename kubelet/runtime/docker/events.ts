// The engine's event stream as hints about pods. A lost connection is made again with growing delays; every new one begins with
// 'everything', since events in between are lost.
import { Backoff } from '#base/backoff.ts';
import type { Clock } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import type { RuntimeEvent } from '../contract.ts';
import type { Engine } from './engine.ts';
import { clusterLabel, decodeLabels } from './names.ts';

interface EventsDeps {
  readonly engine: Engine;
  readonly cluster: string;
  readonly clock: Clock;
  readonly log: Log;
}

interface RawEvent {
  readonly Action?: string;
  readonly Actor?: { readonly ID: string; readonly Attributes: Record<string, string> };
}

const types = { start: 'started', die: 'died', oom: 'oom', destroy: 'removed' } as const;

/** See Runtime.events. */
export async function* followEvents(deps: EventsDeps, signal: AbortSignal): AsyncGenerator<RuntimeEvent, void, undefined> {
  const { engine, cluster, clock, log } = deps;
  const backoff = new Backoff({ initialMs: 100, maxMs: 5_000 });
  const query = { filters: { type: ['container'], event: Object.keys(types), label: [`${clusterLabel}=${cluster}`] } };
  while (!signal.aborted) {
    try {
      const answer = await engine.stream('GET', '/events', { query }, signal);
      try {
        yield { type: 'everything' };
        for await (const line of lines(answer as AsyncIterable<Buffer>)) {
          backoff.reset();
          const event = readEvent(line);
          if (event !== undefined) yield event;
        }
      } finally {
        answer.destroy();
      }
      log.info({}, 'the event stream of the container engine ended; connecting again');
    } catch (error) {
      if (signal.aborted) return;
      const level = backoff.steps > 5 ? 'warn' : 'info';
      log[level]({ err: error }, 'no events from the container engine');
    }
    try {
      await clock.sleep(backoff.next(), signal);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
  }
}

function readEvent(line: string): RuntimeEvent | undefined {
  const { Action = '', Actor } = JSON.parse(line) as RawEvent;
  const type = types[Action as keyof typeof types];
  if (type === undefined || Actor === undefined) return undefined;
  const identity = decodeLabels(Actor.Attributes);
  if (identity === undefined) return undefined;
  return { type, podUid: identity.pod.uid, id: Actor.ID, container: identity.kind === 'container' ? identity.container : undefined };
}

async function* lines(source: AsyncIterable<Buffer>): AsyncGenerator<string, void, undefined> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of source) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) if (part.trim() !== '') yield part;
  }
}
