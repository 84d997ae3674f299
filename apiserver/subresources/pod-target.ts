import type { V1Pod } from '#api/generated/types.ts';
import { badRequest } from '#api/meta/status.ts';

/** The container that a request means: the one it names, or the only one. Throws BadRequest as upstream words it. */
export function chooseContainer(pod: V1Pod, asked: string): string {
  const name = pod.metadata?.name ?? '';
  const names = (containers: readonly { name: string }[] | undefined): string[] => (containers ?? []).map((one) => one.name);
  const regular = names(pod.spec?.containers);
  const init = names(pod.spec?.initContainers);
  const ephemeral = names(pod.spec?.ephemeralContainers);
  if (asked !== '') {
    if ([...regular, ...init, ...ephemeral].includes(asked)) return asked;
    throw badRequest(`container ${asked} is not valid for pod ${name}`);
  }
  const [only] = regular;
  if (only !== undefined && regular.length === 1) return only;
  if (only === undefined) throw badRequest(`a container name must be specified for pod ${name}`);
  const others = init.length === 0 ? '' : ` or one of the init containers: [${init.join(' ')}]`;
  throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${regular.join(' ')}]${others}`);
}

/** Where a pod runs. Throws BadRequest where that is not decided yet. */
export function nodeOf(pod: V1Pod): string {
  const node = pod.spec?.nodeName ?? '';
  if (node === '') throw badRequest(`pod ${pod.metadata?.name} does not have a host assigned`);
  return node;
}
