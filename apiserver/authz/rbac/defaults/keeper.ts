// Makes and repairs the default roles and bindings once, at start (upstream's post-start hook rbac/bootstrap-roles). All of a kind are
// written at the same time, so that the store flushes them together.
import type { KindDefinition } from '#api/kind.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { hasReason } from '#api/meta/status.ts';
import { rbacGroup } from '#api/rbac/rules.ts';
import { Backoff } from '#base/backoff.ts';
import type { Clock } from '#base/clock.ts';
import { aborted, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { internalContext } from '../../../internal-context.ts';
import type { Registry, RequestContext } from '../../../registry/contract.ts';
import type { PolicyKind } from '../policy.ts';
import { type BindingObject, defaultObjects, type RoleObject } from './objects.ts';
import { repairBinding, type Repair, repairRole } from './plan.ts';

interface DefaultRolesDeps {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly log: Log;
}

/** Ready when all of them are there. */
export function defaultRoles({ registry, clock, log }: DefaultRolesDeps): Service {
  return {
    name: 'default roles',
    run: async (signal, ready) => {
      const backoff = new Backoff({ initialMs: 50, maxMs: 5_000, jitter: 0.2 });
      while (!signal.aborted) {
        try {
          await keepDefaultRoles(registry, signal);
          ready();
          return await aborted(signal);
        } catch (error) {
          if (signal.aborted) return;
          log.warn({ err: error }, 'cannot make the default roles, trying again');
          await clock.sleep(backoff.next(), signal).catch(() => undefined);
        }
      }
    },
  };
}

/** One look at all of them. */
async function keepDefaultRoles(registry: Registry, signal: AbortSignal): Promise<void> {
  for (const [plural, objects] of defaultObjects()) {
    const kind = registry.find(rbacGroup, 'v1', plural);
    if (kind === undefined) continue;
    const places = new Set(objects.flatMap(({ metadata }) => (metadata.namespace === undefined ? [] : [metadata.namespace])));
    await Promise.all([...places].map((name) => ensureNamespace(registry, name, signal)));
    await Promise.all(objects.map((object) => keepOne({ registry, kind, plural, signal }, object)));
  }
}

interface Keeping {
  readonly registry: Registry;
  readonly kind: KindDefinition;
  readonly plural: PolicyKind;
  readonly signal: AbortSignal;
}

async function keepOne({ registry, kind, plural, signal }: Keeping, wanted: KubeObject): Promise<void> {
  const { name = '', namespace = '' } = wanted.metadata;
  const context = internalContext({ namespace }, signal);
  const repair = (found: KubeObject): Repair =>
    plural === 'roles' || plural === 'clusterroles'
      ? repairRole(found as RoleObject, wanted as RoleObject)
      : repairBinding(found as BindingObject, wanted as BindingObject);
  const found = registry.peek(kind, namespace, name)?.object();
  if (found === undefined) return createMissing(registry, kind, wanted, context);
  const first = repair(found);
  if (first.kind === 'keep') return;
  if (first.kind === 'replace') {
    const options = { gracePeriodSeconds: undefined, propagationPolicy: undefined, orphanDependents: undefined };
    await registry.delete(kind, name, { ...options, uid: found.metadata.uid, resourceVersion: undefined }, context);
    return createMissing(registry, kind, first.object, context);
  }
  const change = (current: KubeObject): KubeObject => {
    const next = repair(current);
    return next.kind === 'change' ? next.object : current;
  };
  await registry.change(kind, name, change, context);
}

/** Whoever makes the same object at the same time, another API server say, makes it alike. */
async function createMissing(registry: Registry, kind: KindDefinition, object: KubeObject, context: RequestContext): Promise<void> {
  try {
    await registry.createObject(kind, object, context);
  } catch (error) {
    if (!hasReason(error, 'AlreadyExists')) throw error;
  }
}

async function ensureNamespace(registry: Registry, name: string, signal: AbortSignal): Promise<void> {
  const kind = registry.find('', 'v1', 'namespaces');
  if (kind === undefined || registry.peek(kind, '', name) !== undefined) return;
  await createMissing(registry, kind, { metadata: { name } }, internalContext({}, signal));
}
