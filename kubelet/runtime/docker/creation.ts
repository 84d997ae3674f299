import { RuntimeError } from '../contract.ts';
import type { Engine } from './engine.ts';
import type { InspectedContainer } from './inspection.ts';

/**
 * Creates a container under `name`. When the name is taken by the very same one (the answer of an earlier attempt was lost), that one
 * is adopted; a leftover of ours that ran already or was meant differently gives way. One that is not ours is a Conflict.
 */
export async function createOrAdopt(
  engine: Engine,
  name: string,
  body: object,
  labels: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<string> {
  for (let left = 1; ; left--) {
    try {
      const { Id } = await engine.call<{ Id: string }>('POST', '/containers/create', { query: { name }, body }, signal);
      return Id;
    } catch (error) {
      if (!(error instanceof RuntimeError) || error.code !== 'Conflict' || left === 0) throw error;
      const found = await inspectByName(engine, name, signal);
      if (found === undefined) continue;
      if (isSame(found, labels) && (found.State.Running || found.State.Status === 'created')) return found.Id;
      if (!isOurs(found, labels)) throw error;
      await engine.call('DELETE', `/containers/${found.Id}`, { query: { force: true } }, signal);
    }
  }
}

async function inspectByName(engine: Engine, name: string, signal: AbortSignal): Promise<InspectedContainer | undefined> {
  try {
    return await engine.call<InspectedContainer>('GET', `/containers/${name}/json`, {}, signal);
  } catch (error) {
    if (error instanceof RuntimeError && error.code === 'NotFound') return undefined;
    throw error;
  }
}

/** Images may add labels, so ours have to be among them. */
function isSame(found: InspectedContainer, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(labels).every(([key, value]) => found.Config.Labels[key] === value);
}

function isOurs(found: InspectedContainer, labels: Readonly<Record<string, string>>): boolean {
  return ['coxswain.cluster', 'io.kubernetes.pod.uid'].every((key) => found.Config.Labels[key] === labels[key]);
}
