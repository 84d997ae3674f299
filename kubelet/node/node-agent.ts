// Keeps the Node object of this machine: makes it, keeps its labels, reports its status. The status goes out when something besides
// the heartbeat changed, at the latest every 5 minutes; while the node is not ready it is looked at every 200 ms.
import { node as nodeKind, type Node } from '#api/core/node/node.ts';
import type { V1NodeStatus, V1Taint } from '#api/generated/types.ts';
import { equalValues } from '#api/meta/equality.ts';
import { hasReason } from '#api/meta/status.ts';
import { Backoff } from '#base/backoff.ts';
import type { Clock } from '#base/clock.ts';
import type { Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import type { Client } from '#client/client.ts';
import type { ReferenceRecorder } from '#client/events.ts';
import { timeText } from '#client/timestamps.ts';
import type { Runtime, RuntimeInfo } from '../runtime/contract.ts';
import type { StoredImage } from '../runtime/image-contract.ts';
import type { PressureCondition } from '../eviction/signals.ts';
import { nodeConditions } from './conditions.ts';
import { Wakeup } from '../pods/wakeup.ts';
import { providedIp, providedIpAnnotation, uninitializedTaint } from './cloud.ts';
import type { MachineFacts } from './facts.ts';
import type { Measurements } from './measure.ts';
import { nodeStatus, type NodeSettings, withExtended } from './node-status.ts';

interface NodeAgentOptions extends NodeSettings {
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly V1Taint[];
  /** --pod-cidr; '' leaves it to the controller. */
  readonly podCidr: string;
  readonly register: boolean;
  /** Intervals at which the status is computed once the node is ready, and reported without a change. */
  readonly heartbeat: { readonly updateMs: number; readonly reportMs: number };
}

interface NodeAgentDeps {
  readonly client: Client;
  readonly runtime: Runtime;
  readonly info: RuntimeInfo;
  readonly facts: MachineFacts;
  readonly events: ReferenceRecorder;
  readonly measure: () => Promise<Measurements>;
  /** What the node runs out of. */
  readonly pressure: () => readonly PressureCondition[];
  /** Why other parts of the kubelet are not ready. */
  readonly problems: () => readonly string[];
  readonly clock: Clock;
  readonly log: Log;
}

const firstMs = 200;
/** The list of images costs more than all the rest. */
const imagesMs = 60_000;

export class NodeAgent implements Service {
  readonly name = 'node agent';
  readonly #options: NodeAgentOptions;
  readonly #deps: NodeAgentDeps;
  readonly #backoff = new Backoff({ initialMs: 100, maxMs: 7_000 });
  #node: Node | undefined;
  #assumed: Node | undefined;
  #reportedMs = Number.NEGATIVE_INFINITY;
  #images: readonly StoredImage[] = [];
  #imagesMs = Number.NEGATIVE_INFINITY;
  #cidrs: readonly string[] = [];
  #isReady = false;
  readonly #wakeup = new Wakeup();

  constructor(options: NodeAgentOptions, deps: NodeAgentDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Our node as last seen or written; undefined before registration. */
  get node(): Node | undefined {
    return this.#node;
  }

  /** The same, or what would be registered: before the API server is reached, the node's own pods are judged by it. */
  get assumedNode(): Node | undefined {
    return this.#node ?? this.#assumed;
  }

  /** Finds out what this node is, without the API server. */
  async assume(signal: AbortSignal): Promise<void> {
    const { name } = this.#options;
    this.#assumed = { metadata: { name, labels: this.#labels() }, spec: {}, status: await this.#status(signal) };
  }

  /** For a standalone node, which is assigned no range: pods get addresses of --pod-cidr, if set. */
  async giveOwnRange(signal: AbortSignal): Promise<void> {
    await this.#giveRange(signal);
  }

  /** What all images take, as of the last minute. */
  get imageBytes(): number {
    return this.#images.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  /** True once a ready status was written. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** The informer has seen the object; undefined when it was deleted: it is made anew. */
  observe(node: Node | undefined): void {
    if (node !== undefined && BigInt(node.metadata.resourceVersion ?? 0) < BigInt(this.#node?.metadata.resourceVersion ?? 0)) return;
    this.#node = node;
    if (node === undefined || !equalValues(cidrsOf(node), this.#cidrs)) this.#wakeup.set();
  }

  /** Something that its status says has changed. */
  wake(): void {
    this.#wakeup.set();
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { clock, log } = this.#deps;
    this.#event('Normal', 'Starting', 'Starting kubelet.');
    let isFirst = true;
    while (!signal.aborted) {
      let waitMs = firstMs;
      try {
        await this.#sync(signal);
        this.#backoff.reset();
        if (this.#isReady) waitMs = this.#options.heartbeat.updateMs;
        if (isFirst) ready();
        isFirst = false;
      } catch (error) {
        if (signal.aborted) return;
        waitMs = this.#backoff.next();
        log.warn({ err: error, retryMs: waitMs }, 'could not report the node');
      }
      await this.#wakeup.wait(waitMs, clock, signal).catch(() => undefined);
    }
  }

  async #sync(signal: AbortSignal): Promise<void> {
    const { client } = this.#deps;
    const { name } = this.#options;
    this.#node ??= await this.#find(signal);
    await this.#giveRange(signal);
    const own = await this.#status(signal);
    if (this.#node === undefined) {
      if (!this.#options.register) throw new Error(`node ${JSON.stringify(name)} does not exist and is not to be registered`);
      this.#node = await this.#create(own, signal);
    }
    await this.#reconcileMeta(this.#node, signal);
    const present = this.#node.status ?? {};
    const status = withExtended(own, present);
    const nowMs = this.#deps.clock.monotonicMs();
    if (nowMs - this.#reportedMs < this.#options.heartbeat.reportMs && sameBesidesHeartbeat(present, status)) return;
    const body = { metadata: { uid: this.#node.metadata.uid }, status: statusBody(present, status) };
    this.#node = await client.patch(nodeKind, { name }, body, { type: 'strategic', subresource: 'status' }, signal);
    this.#tellReboot(present.nodeInfo?.bootID ?? '', status.nodeInfo?.bootID ?? '');
    this.#reportedMs = nowMs;
    this.#isReady = status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;
  }

  /** Passes the pod CIDR to the runtime as soon as it is known. */
  async #giveRange(signal: AbortSignal): Promise<void> {
    const { podCidr } = this.#options;
    const known = cidrsOf(this.#node);
    const cidrs = known.length === 0 && podCidr !== '' ? [podCidr] : known;
    if (cidrs.length === 0 || equalValues(cidrs, this.#cidrs)) return;
    await this.#deps.runtime.setPodCidrs(cidrs, signal);
    this.#cidrs = cidrs;
  }

  async #find(signal: AbortSignal): Promise<Node | undefined> {
    try {
      return await this.#deps.client.get(nodeKind, { name: this.#options.name }, signal);
    } catch (error) {
      if (hasReason(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  async #create(status: V1NodeStatus, signal: AbortSignal): Promise<Node> {
    const { name, podCidr, cloud, ips } = this.#options;
    const { client, log } = this.#deps;
    const taints = [...this.#options.taints, ...(cloud.isExternal ? [uninitializedTaint] : [])];
    const given = providedIp(cloud, ips);
    const spec = {
      ...(cloud.providerId === '' ? {} : { providerID: cloud.providerId }),
      ...(podCidr === '' ? {} : { podCIDR: podCidr, podCIDRs: [podCidr] }),
      ...(taints.length === 0 ? {} : { taints }),
    };
    const annotations = {
      'volumes.kubernetes.io/controller-managed-attach-detach': 'true',
      ...(given === undefined ? {} : { [providedIpAnnotation]: given }),
    };
    try {
      const made = await client.create(nodeKind, { metadata: { name, labels: this.#labels(), annotations }, spec, status }, {}, signal);
      log.info({ node: name }, 'registered the node');
      return made;
    } catch (error) {
      if (hasReason(error, 'AlreadyExists')) return await client.get(nodeKind, { name }, signal);
      throw error;
    }
  }

  #labels(): Record<string, string> {
    const { name, labels } = this.#options;
    const { architecture, operatingSystem } = this.#deps.info;
    return {
      'beta.kubernetes.io/arch': architecture,
      'beta.kubernetes.io/os': operatingSystem,
      'kubernetes.io/arch': architecture,
      'kubernetes.io/os': operatingSystem,
      'kubernetes.io/hostname': name,
      ...labels,
    };
  }

  /** A node that was there before gets our labels, says what it was given and, where it has none, gets our pod range. */
  async #reconcileMeta(node: Node, signal: AbortSignal): Promise<void> {
    const { name, podCidr, cloud, ips } = this.#options;
    const given = providedIp(cloud, ips);
    const isSaid = node.metadata.annotations?.[providedIpAnnotation] === given;
    const labels = Object.fromEntries(Object.entries(this.#labels()).filter(([key, value]) => node.metadata.labels?.[key] !== value));
    const needsRange = podCidr !== '' && (node.spec?.podCIDR ?? '') === '';
    if (Object.keys(labels).length === 0 && !needsRange && isSaid) return;
    const body = {
      metadata: { uid: node.metadata.uid, labels, ...(isSaid ? {} : { annotations: { [providedIpAnnotation]: given ?? null } }) },
      ...(needsRange ? { spec: { podCIDR: podCidr, podCIDRs: [podCidr] } } : {}),
    };
    this.#node = await this.#deps.client.patch(nodeKind, { name }, body, { type: 'merge' }, signal);
  }

  /** The kernel gives itself an id when it starts. */
  #tellReboot(before: string, now: string): void {
    if (before === '' || before === now) return;
    this.#event('Warning', 'Rebooted', `Node ${this.#options.name} has been rebooted, boot id: ${now}`);
  }

  async #status(signal: AbortSignal): Promise<V1NodeStatus> {
    const { runtime, clock, facts, info, problems, measure, pressure, log } = this.#deps;
    const health = await runtime.health(signal);
    const measured = await measure();
    if (clock.monotonicMs() - this.#imagesMs >= imagesMs) {
      const listed = await runtime.images.list(signal).catch((error: unknown) => {
        log.debug({ err: error }, 'could not list images');
        return undefined;
      });
      if (listed !== undefined) {
        this.#images = listed;
        this.#imagesMs = clock.monotonicMs();
      }
    }
    const troubles = [
      ...(health.runtimeProblem === undefined ? [] : [`container runtime is down: ${health.runtimeProblem}`]),
      ...problems(),
      ...(health.networkProblem === undefined ? [] : [networkText(health.networkProblem)]),
    ];
    const now = timeText(clock.nowMs());
    const known = this.#node?.status?.conditions ?? [];
    const readiness = { problems: troubles, hasAppArmor: facts.hasAppArmor };
    const { conditions, events } = nodeConditions(known, pressure(), readiness, now);
    for (const { reason } of events) this.#event('Normal', reason, `Node ${this.#options.name} status is now: ${reason}`);
    const addresses = this.#node?.status?.addresses ?? [];
    return { ...nodeStatus(this.#options, { facts, measured, info, images: this.#images, addresses }), conditions };
  }

  #event(type: 'Normal' | 'Warning', reason: string, message: string): void {
    const { name } = this.#options;
    // Upstream's kubelet gives the name as uid: it speaks before the object is there.
    this.#deps.events.about({ apiVersion: 'v1', kind: 'Node', name, uid: name }, type, reason, message);
  }
}

function cidrsOf(node: Node | undefined): readonly string[] {
  const { podCIDRs = [], podCIDR = '' } = node?.spec ?? {};
  return podCIDRs.length > 0 ? podCIDRs : podCIDR === '' ? [] : [podCIDR];
}

function networkText(problem: string): string {
  return `container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:${problem}`;
}

/** A strategic merge joins addresses by their type, of which a node may have two: ours are the whole list. */
function statusBody(present: V1NodeStatus, wanted: V1NodeStatus): object {
  const { addresses = [] } = wanted;
  const body = {
    ...wanted,
    capacity: mapBody(present.capacity, wanted.capacity),
    allocatable: mapBody(present.allocatable, wanted.allocatable),
  };
  if (equalValues(present.addresses, addresses)) return { ...body, addresses: undefined };
  return (present.addresses ?? []).length === 0 ? body : { ...body, addresses: [...addresses, { $patch: 'replace' }] };
}

/** A merge keeps what it does not hear of. */
function mapBody(present: Readonly<Record<string, string>> = {}, wanted: Readonly<Record<string, string>> = {}): object {
  const gone = Object.keys(present).filter((name) => wanted[name] === undefined);
  return { ...Object.fromEntries(gone.map((name) => [name, null])), ...wanted };
}

function sameBesidesHeartbeat(present: V1NodeStatus, wanted: V1NodeStatus): boolean {
  const fields = Object.keys(wanted).filter((key) => key !== 'conditions') as (keyof V1NodeStatus)[];
  if (!fields.every((field) => equalValues(present[field], wanted[field]))) return false;
  return (wanted.conditions ?? []).every((one) => {
    const known = present.conditions?.find(({ type }) => type === one.type);
    return known !== undefined && known.status === one.status && known.reason === one.reason && known.message === one.message;
  });
}
