// Keeps the objects that priority and fairness begins with. Mandatory ones are made and repaired whatever clients change in them;
// suggested ones only while their annotation lets the server, so that a user's settings stay (upstream's
// pkg/registry/flowcontrol/ensurer).
import { equalValues } from '#api/meta/equality.ts';
import type { KindDefinition } from '#api/kind.ts';
import {
  autoUpdateAnnotation,
  mandatoryFlowSchemas,
  mandatoryPriorityLevels,
  type Specs,
  suggestedFlowSchemas,
  suggestedPriorityLevels,
} from '#api/flowcontrol/initial-objects.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { hasReason } from '#api/meta/status.ts';
import type { Clock } from '#base/clock.ts';
import type { Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { internalContext } from '../internal-context.ts';
import { everything } from '../list-everything.ts';
import type { Registry, RequestContext } from '../registry/contract.ts';
import { markDangling } from './dangling.ts';

interface InitialConfigurationDeps {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly log: Log;
}

const group = 'flowcontrol.apiserver.k8s.io';
const intervalMs = 60_000;
const manager = 'api-priority-and-fairness-config-producer-v1';

interface ObjectWithSpec extends KubeObject {
  spec?: unknown;
}

/** Ready at once: requests are served before these objects exist. */
export function initialConfiguration(deps: InitialConfigurationDeps): Service {
  return {
    name: 'flow control configuration',
    run: async (signal, ready) => {
      ready();
      while (!signal.aborted) {
        try {
          const context = { ...internalContext({}, signal), fieldManager: manager };
          await keepConfiguration(deps.registry, context);
          await markDangling(deps.registry, deps.clock.nowMs(), context);
        } catch (error) {
          if (signal.aborted) return;
          deps.log.warn({ err: error }, 'cannot keep the flow control configuration, trying again');
        }
        await deps.clock.sleep(intervalMs, signal).catch(() => undefined);
      }
    },
  };
}

/** One look: makes, repairs and removes what needs it. */
export async function keepConfiguration(registry: Registry, context: RequestContext): Promise<void> {
  const kinds = [
    { plural: 'prioritylevelconfigurations', mandatory: mandatoryPriorityLevels, suggested: suggestedPriorityLevels },
    { plural: 'flowschemas', mandatory: mandatoryFlowSchemas, suggested: suggestedFlowSchemas },
  ];
  for (const { plural, mandatory, suggested } of kinds) {
    const kind = registry.find(group, 'v1', plural);
    if (kind === undefined) continue;
    await keepAll({ registry, kind, context }, mandatory, suggested);
  }
}

interface Keeping {
  readonly registry: Registry;
  readonly kind: KindDefinition;
  readonly context: RequestContext;
}

async function keepAll(keeping: Keeping, mandatory: Specs<unknown>, suggested: Specs<unknown>): Promise<void> {
  const { registry, kind, context } = keeping;
  const { items } = await registry.list(kind, everything, context);
  const found = new Map([...items].map((item) => [item.object().metadata.name ?? '', item.object() as ObjectWithSpec]));
  const wanted = { ...suggested, ...mandatory };
  const work = Object.entries(wanted).map(([name, spec]) =>
    keepOne(keeping, found.get(name), { name, spec, isMandatory: Object.hasOwn(mandatory, name) }),
  );
  for (const [name, object] of found) if (!Object.hasOwn(wanted, name) && isOurs(object)) work.push(remove(keeping, object));
  await Promise.all(work);
}

interface Wanted {
  readonly name: string;
  readonly spec: unknown;
  readonly isMandatory: boolean;
}

async function keepOne({ registry, kind, context }: Keeping, found: ObjectWithSpec | undefined, wanted: Wanted): Promise<void> {
  const { name, spec } = wanted;
  if (found === undefined) {
    const object = { metadata: { name, annotations: { [autoUpdateAnnotation]: 'true' } }, spec } as KubeObject;
    await registry.createObject(kind, object, context).catch(ignoring('AlreadyExists'));
    return;
  }
  if (repaired(found, wanted) === undefined) return;
  const change = (current: KubeObject): KubeObject => repaired(current, wanted) ?? current;
  await registry.change(kind, name, change, context).catch(ignoring('NotFound'));
}

/** The right form of an object, undefined where it is right or a user's own. */
function repaired(found: ObjectWithSpec, { name, spec, isMandatory }: Wanted): KubeObject | undefined {
  const { annotations = {}, generation = 0 } = found.metadata;
  // Objects from before the annotation existed are ours unless they were changed.
  const isKept = isMandatory || isOurs(found) || (annotations[autoUpdateAnnotation] === undefined && generation === 1);
  const says = String(isKept);
  const isRight = !isKept || equalValues(found.spec, wantedSpec(found, name, spec));
  if (isRight && annotations[autoUpdateAnnotation] === says) return undefined;
  const metadata = { ...found.metadata, annotations: { ...annotations, [autoUpdateAnnotation]: says } };
  return { ...found, metadata, ...(isKept ? { spec: wantedSpec(found, name, spec) } : {}) } as KubeObject;
}

/** Administrators may give the exempt level other shares. */
function wantedSpec(found: ObjectWithSpec, name: string, spec: unknown): unknown {
  const { type, exempt } = (found.spec ?? {}) as { type?: string; exempt?: unknown };
  return name === 'exempt' && type === 'Exempt' && exempt !== undefined ? { ...(spec as object), exempt } : spec;
}

function isOurs({ metadata }: KubeObject): boolean {
  return metadata.annotations?.[autoUpdateAnnotation] === 'true';
}

async function remove({ registry, kind, context }: Keeping, { metadata }: KubeObject): Promise<void> {
  const guard = { uid: metadata.uid, resourceVersion: metadata.resourceVersion };
  const request = { gracePeriodSeconds: undefined, propagationPolicy: undefined, orphanDependents: undefined, ...guard };
  await registry.delete(kind, metadata.name ?? '', request, context).catch(ignoring('NotFound', 'Conflict'));
}

/** For a concurrent write by another server. */
function ignoring(...reasons: Parameters<typeof hasReason>[1][]): (error: unknown) => void {
  return (error) => {
    if (!hasReason(error, ...reasons)) throw error;
  };
}
