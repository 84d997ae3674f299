import { builtinKinds } from '#api/kinds.ts';
import type { KindDefinition } from '#api/kind.ts';

const everyVerb = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

/** Built-in kinds that have all these verbs, each stored kind once: what clean-up loops go through. */
export function kindsWith(...verbs: readonly string[]): readonly KindDefinition[] {
  return builtinKinds.filter((kind) => kind.storedAs === undefined && verbs.every((verb) => (kind.verbs ?? everyVerb).includes(verb)));
}

/** Events go with time, own nothing and are many: no loop watches them. */
export function isEvent({ names }: KindDefinition): boolean {
  return names.plural === 'events';
}
