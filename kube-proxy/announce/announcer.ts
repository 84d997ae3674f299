// Answers for load-balancer addresses on the node's own network. How it works: informers mark Services and the candidates dirty; one loop
// works out what this node should hold (plan.ts), asks whom it must, and hands the difference to the kernel. It wakes when something
// changed, every second while it asks others or holds an address, and every minute to repair what other programs changed. Only the
// loop writes; nothing is kept that a start does not find again in the kernel. Who stops says so first, and lets go only when the next
// has heard it: for a moment two nodes answer, but never none.
import type { Node } from '#api/core/node/node.ts';
import type { Service as KubeService } from '#api/core/service/service.ts';
import type { EndpointSlice } from '#api/discovery/endpoint-slice.ts';
import { keyOf, keyText } from '#api/meta/object.ts';
import type { Clock } from '#base/clock.ts';
import { isAbort, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import type { Informer } from '#client/informer.ts';
import type { AddressRange } from '#client/load-balancer/pool.ts';
import { byServiceIndex, serviceOfSlice } from '../proxier.ts';
import type { Announced, AnnounceKernel } from './kernel.ts';
import { Peers, type Probe, type Word } from './peers.ts';
import { type Candidate, candidacyOf, candidatesOf, type Front, frontsOf, internalAddress, isOnNetwork, orderFor, turnOf } from './plan.ts';

interface AnnouncerDeps {
  readonly services: Informer<KubeService>;
  readonly slices: Informer<EndpointSlice>;
  readonly nodes: Informer<Node>;
  readonly nodeName: string;
  /** Addresses outside of them are not touched. */
  readonly ranges: readonly AddressRange[];
  /** This host's interfaces, asked with each repair. */
  readonly networks: () => readonly { readonly network: string; readonly device: string }[];
  /** What others hear of this node's proxy when they ask. */
  readonly word: () => Word;
  /** Makes that `leaves`. */
  readonly leave: () => void;
  readonly probe: Probe;
  readonly kernel: AnnounceKernel;
  readonly clock: Clock;
  readonly log: Log;
}

const askEveryMs = 1_000;
/** The least pause between two looks, after which changes that come together are one. */
const shortestMs = 100;
const repairEveryMs = 60_000;
const stopLimitMs = 3_000;
/** Whoever is next has asked by then and answers, too; until then, who leaves goes on. */
const handOverMs = askEveryMs + 500;
/** A broadcast may be lost; so often it is said who has an address now. */
const shouts = 3;

export class Announcer implements Service {
  readonly name = 'announcer of load-balancer addresses';
  readonly #deps: AnnouncerDeps;
  readonly #peers: Peers;
  readonly #fronts = new Map<string, readonly Front[]>();
  readonly #dirty = new Set<string>();
  /** Orders by address, until Services, endpoints or nodes change. */
  #orders: ReadonlyMap<string, readonly Candidate[]> | undefined;
  #device = '';
  #isChanged = true;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  /** What the kernel has; undefined when that must be read. */
  #held: ReadonlyMap<string, Announced> | undefined;
  #readAtMs = Number.NEGATIVE_INFINITY;
  #leavingSinceMs: number | undefined;
  readonly #shouting = new Map<string, number>();
  #wake: () => void = () => undefined;

  constructor(deps: AnnouncerDeps) {
    this.#deps = deps;
    this.#peers = new Peers(deps.probe);
  }

  /** Needs synced informers, and the proxy's rules made: who answers must be able to serve. */
  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { clock, log } = this.#deps;
    const unsubscribe = this.#subscribe();
    ready();
    try {
      for (;;) {
        const startedMs = clock.monotonicMs();
        const isBusy = await this.#look(signal).catch((err: unknown) => {
          if (isAbort(err, signal)) throw err;
          log.warn({ err }, 'load-balancer addresses could not be announced');
          this.#held = undefined;
          return true;
        });
        await this.#sleep(isBusy ? Math.max(shortestMs, startedMs + askEveryMs - clock.monotonicMs()) : repairEveryMs, signal);
      }
    } finally {
      for (const end of unsubscribe) end();
      await this.#withdraw();
      using deadline = clock.deadline(new AbortController().signal, stopLimitMs);
      await this.#release(deadline.signal).catch((err: unknown) => log.warn({ err }, 'load-balancer addresses could not be given up'));
    }
  }

  #subscribe(): readonly (() => void)[] {
    const { services, slices, nodes } = this.#deps;
    const mark = (keys: readonly string[], matters: (key: string) => boolean = () => true): void => {
      for (const key of keys.filter(matters)) {
        this.#dirty.add(key);
        this.#change();
      }
    };
    // Endpoints only matter where the policy is Local.
    const isLocal = (key: string): boolean => this.#fronts.get(key)?.some((front) => front.nodes !== undefined) === true;
    return [
      services.subscribe(({ object }) => {
        const key = keyText(keyOf(object));
        if (object.spec.type === 'LoadBalancer' || this.#fronts.has(key)) mark([key]);
      }),
      slices.subscribe((change) => {
        mark(serviceOfSlice(change.object), isLocal);
        if (change.type === 'updated') mark(serviceOfSlice(change.previous), isLocal);
      }),
      nodes.subscribe((change) => {
        // Nodes report all the time; who may answer seldom changes.
        if (change.type === 'updated' && candidacyOf(change.object) === candidacyOf(change.previous)) return;
        this.#orders = undefined;
        if (this.#fronts.size > 0) this.#change();
      }),
    ];
  }

  #change(): void {
    this.#isChanged = true;
    this.#wake();
  }

  /** One look at everything; true while others must be asked or something is held. */
  async #look(signal: AbortSignal): Promise<boolean> {
    const { nodeName, kernel, clock } = this.#deps;
    this.#isChanged = false;
    this.#takeChanges();
    if (this.#held === undefined || clock.monotonicMs() - this.#readAtMs >= repairEveryMs) await this.#repair(signal);
    this.#orders ??= this.#makeOrders();
    const orders = [...this.#orders];
    const stateOf = (name: string): ReturnType<Peers['stateOf']> => this.#peers.stateOf(name);
    const asked = new Map(
      orders.flatMap(([, order]) => {
        const { ask } = turnOf(order, nodeName, stateOf);
        return order.filter(({ name }) => ask.includes(name)).map(({ name, address }) => [name, address] as const);
      }),
    );
    // Looks that changes cause come faster: their questions would make a second of silence look like three.
    if (clock.monotonicMs() - this.#askedAtMs > askEveryMs / 2) {
      this.#askedAtMs = clock.monotonicMs();
      await this.#peers.ask(asked, signal);
    }
    const wanted = this.#mayHold() ? orders.filter(([, order]) => turnOf(order, nodeName, stateOf).hold).map(([address]) => address) : [];
    await this.#settle(new Map(wanted.map((address) => [address, { address, device: this.#device }])), signal);
    if (wanted.length === 0) await kernel.restore(signal);
    return asked.size > 0 || wanted.length > 0;
  }

  /** One that leaves takes nothing new, but others must have heard of it before it lets go of what it has. */
  #mayHold(): boolean {
    const { word, clock } = this.#deps;
    const now = word();
    if (now !== 'leaves') this.#leavingSinceMs = undefined;
    else this.#leavingSinceMs ??= clock.monotonicMs();
    return now === 'serves' || (this.#leavingSinceMs !== undefined && clock.monotonicMs() - this.#leavingSinceMs < handOverMs);
  }

  #takeChanges(): void {
    const { services, slices, ranges } = this.#deps;
    for (const key of this.#dirty) {
      const [namespace, name = ''] = key.split('/');
      const object = services.get({ namespace, name });
      const fronts = object === undefined ? [] : frontsOf(object, slices.byIndex(byServiceIndex, key), ranges);
      if (fronts.length === 0 && !this.#fronts.has(key)) continue;
      if (fronts.length === 0) this.#fronts.delete(key);
      else this.#fronts.set(key, fronts);
      this.#orders = undefined;
    }
    this.#dirty.clear();
  }

  /** Empty where this node is not on the network of its own address, or has none yet. */
  #makeOrders(): ReadonlyMap<string, readonly Candidate[]> {
    const { nodes, nodeName, networks } = this.#deps;
    if (this.#fronts.size === 0) return new Map();
    const all = nodes.list();
    const self = all.find(({ metadata }) => metadata.name === nodeName);
    const own = self === undefined ? undefined : internalAddress(self);
    const plugged = own === undefined ? undefined : networks().find(({ network }) => isOnNetwork(network, own));
    if (plugged === undefined) return new Map();
    this.#device = plugged.device;
    const candidates = candidatesOf(all, plugged.network);
    const fronts = [...this.#fronts.values()].flat().filter(({ address }) => isOnNetwork(plugged.network, address));
    return new Map(fronts.map((front) => [front.address, orderFor(front, candidates)]));
  }

  async #repair(signal: AbortSignal): Promise<void> {
    const { kernel, clock } = this.#deps;
    this.#held = new Map((await kernel.read(signal)).map((one) => [one.address, one]));
    this.#readAtMs = clock.monotonicMs();
    this.#orders = undefined;
    // A word now and then mends what neighbours and switches have missed.
    for (const address of this.#held.keys()) this.#shouting.set(address, Math.max(1, this.#shouting.get(address) ?? 0));
  }

  async #settle(wanted: ReadonlyMap<string, Announced>, signal: AbortSignal): Promise<void> {
    const { kernel, log } = this.#deps;
    const held = this.#held ?? new Map<string, Announced>();
    const added = [...wanted.values()].filter(({ address, device }) => held.get(address)?.device !== device);
    const gone = [...held.values()].filter(({ address, device }) => wanted.get(address)?.device !== device);
    if (added.length + gone.length > 0) {
      this.#held = undefined;
      await kernel.change(added, gone, signal);
      log.info({ taken: added.map(({ address }) => address), given: gone.map(({ address }) => address) }, 'load-balancer addresses moved');
    }
    this.#held = wanted;
    for (const { address } of added) this.#shouting.set(address, shouts);
    await this.#shout(wanted, signal);
  }

  async #shout(wanted: ReadonlyMap<string, Announced>, signal: AbortSignal): Promise<void> {
    const { kernel, log } = this.#deps;
    const due = [...this.#shouting.keys()].flatMap((address) => wanted.get(address) ?? []);
    for (const [address, left] of this.#shouting) {
      if (left > 1 && wanted.has(address)) this.#shouting.set(address, left - 1);
      else this.#shouting.delete(address);
    }
    if (due.length === 0) return;
    await kernel.shout(due, signal).catch((err: unknown) => {
      if (isAbort(err, signal)) throw err;
      log.warn({ err }, 'gratuitous ARP failed; neighbours learn of moved addresses when their ARP entries expire');
    });
  }

  /** Says that this node leaves, and waits until those who are next have heard it: what it has is answered for all the while. */
  async #withdraw(): Promise<void> {
    const { leave, nodeName, clock } = this.#deps;
    leave();
    const held = [...(this.#held ?? [])].map(([address]) => this.#orders?.get(address) ?? []);
    if (held.some((order) => order.some(({ name }) => name !== nodeName))) await clock.sleep(handOverMs, new AbortController().signal);
  }

  async #release(signal: AbortSignal): Promise<void> {
    const { kernel } = this.#deps;
    await kernel.change([], await kernel.read(signal), signal);
    await kernel.restore(signal);
  }

  /** Until something changes, or the time is up. */
  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    const nap = new AbortController();
    this.#wake = () => nap.abort(new Error('something changed'));
    if (this.#isChanged) this.#wake();
    try {
      await this.#deps.clock.sleep(ms, AbortSignal.any([signal, nap.signal]));
    } catch (error) {
      if (!nap.signal.aborted || signal.aborted) throw error;
      await this.#deps.clock.sleep(shortestMs, signal);
    } finally {
      this.#wake = () => undefined;
    }
  }
}
