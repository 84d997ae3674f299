// The ServiceCIDR that says which range the flags give (upstream's pkg/controlplane/controller/defaultservicecidr). Conditions and
// networks that another client has set, and a deletion, are left alone; a mismatch is recorded as an event once.
import type { V1ServiceCIDR } from '#api/generated/types.ts';
import { equalValues } from '#api/meta/equality.ts';
import type { KubeObject } from '#api/meta/object.ts';
import { hasReason } from '#api/meta/status.ts';
import { timeText } from '#api/meta/time-text.ts';
import type { Clock } from '#base/clock.ts';
import type { EventRecorder } from '#client/controller/define.ts';
import { internalContext } from '../internal-context.ts';
import type { Registry } from '../registry/contract.ts';
import type { IpRange } from './ip-range.ts';
import { defaultRangeName, rangeKind } from './service-range-feed.ts';

interface DefaultServiceRangeDeps {
  readonly registry: () => Registry;
  readonly ipRange: IpRange;
  readonly events: EventRecorder;
  readonly clock: Clock;
}

/** Under this name upstream's part of the server owns fields and records events. */
export const rangeKeeperName = 'kubernetes-service-cidr-controller';

export class DefaultServiceRange {
  readonly #deps: DefaultServiceRangeDeps;
  readonly #recorded = new Set<'other networks' | 'not ready'>();

  constructor(deps: DefaultServiceRangeDeps) {
    this.#deps = deps;
  }

  /** Creates the object if it is missing, and sets its Ready condition if it has none. */
  async keep(signal: AbortSignal): Promise<void> {
    const { registry, ipRange } = this.#deps;
    if (registry().find(rangeKind.group, rangeKind.version, rangeKind.names.plural) === undefined) return;
    const range = await this.#findOrMake(signal);
    if (range.metadata?.deletionTimestamp !== undefined) return;
    const cidrs = range.spec?.cidrs ?? [];
    if (!equalValues(cidrs, [ipRange.text])) {
      const text = `The default ServiceCIDR [${cidrs.join(' ')}] does not match the controller flag configurations [${ipRange.text}]`;
      return this.#recordOnce('other networks', range, 'KubernetesDefaultServiceCIDRInconsistent', text);
    }
    const ready = range.status?.conditions?.find(({ type }) => type === 'Ready');
    if (ready?.status === 'False') return this.#recordOnce('not ready', range, ready.reason, `Configuration matches, but ${ready.message}`);
    if (ready?.status !== 'True') await this.#applyReady(signal);
  }

  async #findOrMake(signal: AbortSignal): Promise<V1ServiceCIDR> {
    const registry = this.#deps.registry();
    const context = internalContext({}, signal);
    try {
      return (await registry.get(rangeKind, defaultRangeName, '', context)).object() as V1ServiceCIDR;
    } catch (error) {
      if (!hasReason(error, 'NotFound')) throw error;
    }
    const object: V1ServiceCIDR = { metadata: { name: defaultRangeName }, spec: { cidrs: [this.#deps.ipRange.text] } };
    return (await registry.createObject(rangeKind, object as KubeObject, context)).object() as V1ServiceCIDR;
  }

  async #applyReady(signal: AbortSignal): Promise<void> {
    const { registry, clock } = this.#deps;
    const message = 'Kubernetes default Service CIDR is ready';
    const condition = { type: 'Ready', status: 'True', reason: '', message, lastTransitionTime: timeText(clock.nowMs()) };
    const applied = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'ServiceCIDR',
      metadata: { name: defaultRangeName },
      status: { conditions: [condition] },
    };
    const context = { ...internalContext({ subresource: 'status' }, signal), fieldManager: rangeKeeperName };
    const patch = { type: 'apply', bytes: Buffer.from(JSON.stringify(applied)), force: true } as const;
    await registry().patch(rangeKind, defaultRangeName, patch, context);
  }

  #recordOnce(what: 'other networks' | 'not ready', range: V1ServiceCIDR, reason: string, message: string): void {
    if (this.#recorded.has(what)) return;
    this.#recorded.add(what);
    this.#deps.events.event(range as KubeObject, 'Warning', reason, message);
  }
}
