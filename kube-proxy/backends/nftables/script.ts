// Turns dispatches into lines for `nft -f`. INVARIANT: what `render` answers is applied as one transaction or not at all; the caller
// calls `commit` or `rollback` accordingly, so that the picture here always equals the kernel's.
import { createHash } from 'node:crypto';
import type { DispatchChanges } from '../../model/claims.ts';
import { type Dispatch, type EndpointAddress, frontOf, sameDispatch } from '../../model/dispatch.ts';
import { type FrontFamily, families, skeleton, tableName } from './skeleton.ts';

/** The kernel's state as far as scripts depend on it. */
interface Picture {
  readonly fronts: Map<string, Dispatch>;
  /** Per family: chains `spread_<n>` that exist, by n; chains and maps `pick_<i>` that exist, by count. */
  readonly spreads: Map<string, Set<number>>;
  readonly picks: Map<string, number>;
  /** How many fronts use an endpoint's address: the hairpin set holds each once. */
  readonly endpointUses: Map<string, number>;
}

const table = `ip ${tableName}`;

export class NftScript {
  readonly #podCidrs: readonly string[];
  #picture: Picture = emptyPicture();
  #undo: (() => void)[] = [];
  #lines: string[] = [];

  /** @param podCidrs networks of pods; clients outside of them are masqueraded where a dispatch says `outside-pods`. */
  constructor(podCidrs: readonly string[]) {
    this.#podCidrs = podCidrs;
  }

  /** Everything anew, in one script. */
  renderAll(all: Iterable<Dispatch>): string {
    const before = this.#picture;
    this.#picture = emptyPicture();
    this.#undo = [(): void => void (this.#picture = before)];
    this.#lines = [skeleton(this.#podCidrs)];
    for (const dispatch of all) this.#add(dispatch);
    return this.#lines.join('\n');
  }

  /** The difference; '' when there is none. */
  render(changes: DispatchChanges): string {
    this.#undo = [];
    this.#lines = [];
    for (const [front, next] of changes) {
      const previous = this.#picture.fronts.get(front);
      if (previous !== undefined && next !== undefined && sameDispatch(previous, next)) continue;
      if (previous !== undefined && next !== undefined && canMove(previous, next)) {
        this.#move(previous, next);
        continue;
      }
      if (previous !== undefined) this.#remove(previous);
      if (next !== undefined) this.#add(next);
    }
    return this.#lines.join('\n');
  }

  /** The last script was applied. */
  commit(): void {
    this.#undo = [];
  }

  /** The last script was refused. */
  rollback(): void {
    for (const undo of this.#undo.toReversed()) undo();
    this.#undo = [];
  }

  /** UDP fronts among the changes that lose endpoints: their flows must be ended, since no packet would ask the rules again. */
  staleUdp(changes: DispatchChanges): readonly { readonly front: Dispatch; readonly gone: readonly EndpointAddress[] }[] {
    return [...changes].flatMap(([front, next]) => {
      const previous = this.#picture.fronts.get(front);
      if (previous === undefined || previous.protocol !== 'udp') return [];
      const kept = new Set((next?.endpoints ?? []).map(addressText));
      const gone = previous.endpoints.filter((endpoint) => !kept.has(addressText(endpoint)));
      return gone.length > 0 ? [{ front: previous, gone }] : [];
    });
  }

  #add(dispatch: Dispatch): void {
    this.#setFront(dispatch);
    const { family, key } = placeOf(dispatch);
    const { endpoints } = dispatch;
    if (endpoints.length === 0) {
      this.#element('add', family.emptyMap, `${key} : goto ${dispatch.whenEmpty === 'reject' ? 'refuse' : 'discard'}`);
    } else if (dispatch.affinitySeconds === undefined) {
      this.#ensureSpread(family, endpoints.length);
      for (const [index, endpoint] of endpoints.entries())
        this.#element('add', pickMap(family, index), `${key} : ${addressText(endpoint)}`);
      this.#element('add', family.dispatchMap, `${key} : goto ${spreadChain(family, endpoints.length)}`);
    } else {
      this.#addAffinity(dispatch, family, key, dispatch.affinitySeconds);
    }
    this.#mark('add', dispatch, family, key);
    this.#firewall('add', dispatch, family, key);
    for (const endpoint of endpoints) this.#useEndpoint(endpoint.ip, 1);
  }

  #remove(dispatch: Dispatch): void {
    this.#dropFront(dispatch);
    const { family, key } = placeOf(dispatch);
    const { endpoints } = dispatch;
    if (endpoints.length === 0) this.#element('delete', family.emptyMap, key);
    else this.#element('delete', family.dispatchMap, key);
    if (dispatch.affinitySeconds === undefined) {
      for (const index of endpoints.keys()) this.#element('delete', pickMap(family, index), key);
    } else if (endpoints.length > 0) {
      this.#removeAffinity(dispatch, key);
    }
    this.#mark('delete', dispatch, family, key);
    this.#firewall('delete', dispatch, family, key);
    for (const endpoint of endpoints) this.#useEndpoint(endpoint.ip, -1);
  }

  /** One endpoint more or less costs its own elements: the others keep their index where they can. */
  #move(previous: Dispatch, wanted: Dispatch): void {
    const { family, key } = placeOf(wanted);
    const next = { ...wanted, endpoints: keepPlaces(previous.endpoints, wanted.endpoints) };
    this.#dropFront(previous);
    this.#setFront(next);
    const [before, after] = [previous.endpoints, next.endpoints];
    this.#ensureSpread(family, after.length);
    if (before.length !== after.length) this.#element('delete', family.dispatchMap, key);
    for (let index = 0; index < Math.max(before.length, after.length); index++) {
      const [old, now] = [before[index], after[index]];
      if (old !== undefined && now !== undefined && addressText(old) === addressText(now)) continue;
      if (old !== undefined) this.#element('delete', pickMap(family, index), key);
      if (now !== undefined) this.#element('add', pickMap(family, index), `${key} : ${addressText(now)}`);
    }
    if (before.length !== after.length) this.#element('add', family.dispatchMap, `${key} : goto ${spreadChain(family, after.length)}`);
    for (const endpoint of after) this.#useEndpoint(endpoint.ip, 1);
    for (const endpoint of before) this.#useEndpoint(endpoint.ip, -1);
  }

  /** A client that was seen lately goes where it went; the others get a random endpoint and are remembered there. */
  #addAffinity(dispatch: Dispatch, family: FrontFamily, key: string, seconds: number): void {
    const chain = affinityChain(key);
    const { protocol, endpoints } = dispatch;
    this.#lines.push(`add chain ${table} ${chain}`);
    for (const endpoint of endpoints) {
      const set = affinitySet(key, endpoint);
      this.#lines.push(`add set ${table} ${set} { type ipv4_addr; flags dynamic,timeout; timeout ${seconds}s; }`);
      this.#lines.push(`add chain ${table} ${set}`);
      this.#lines.push(
        `add rule ${table} ${set} meta l4proto ${protocol} update @${set} { ip saddr } dnat ip to ${endpoint.ip}:${endpoint.port}`,
      );
      this.#lines.push(`add rule ${table} ${chain} ip saddr @${set} goto ${set}`);
    }
    const choices = endpoints.map((endpoint, index) => `${index} : goto ${affinitySet(key, endpoint)}`).join(', ');
    this.#lines.push(`add rule ${table} ${chain} numgen random mod ${endpoints.length} vmap { ${choices} }`);
    this.#element('add', family.dispatchMap, `${key} : goto ${chain}`);
  }

  #removeAffinity({ endpoints }: Dispatch, key: string): void {
    this.#lines.push(`flush chain ${table} ${affinityChain(key)}`, `delete chain ${table} ${affinityChain(key)}`);
    for (const endpoint of endpoints) {
      const set = affinitySet(key, endpoint);
      this.#lines.push(`flush chain ${table} ${set}`, `delete chain ${table} ${set}`, `delete set ${table} ${set}`);
    }
  }

  #mark(verb: 'add' | 'delete', { masquerade }: Dispatch, family: FrontFamily, key: string): void {
    if (masquerade === 'always') this.#element(verb, family.masqueradeAlways, key);
    else if (masquerade === 'outside-pods') this.#element(verb, family.masqueradeOutside, key);
  }

  #firewall(verb: 'add' | 'delete', { sourceRanges }: Dispatch, family: FrontFamily, key: string): void {
    if (sourceRanges.length === 0) return;
    const chain = `firewall_${digest(key)}`;
    if (verb === 'add') {
      this.#lines.push(`add chain ${table} ${chain}`);
      this.#lines.push(`add rule ${table} ${chain} ip saddr { ${sourceRanges.join(', ')} } return`);
      this.#lines.push(`add rule ${table} ${chain} drop`);
      this.#element('add', family.firewallMap, `${key} : jump ${chain}`);
    } else {
      this.#element('delete', family.firewallMap, key);
      this.#lines.push(`flush chain ${table} ${chain}`, `delete chain ${table} ${chain}`);
    }
  }

  /** Makes the chains for `count` endpoints where they do not exist yet; they stay for good, being few. */
  #ensureSpread(family: FrontFamily, count: number): void {
    const { picks, spreads } = this.#picture;
    const have = picks.get(family.prefix) ?? 0;
    for (let index = have; index < count; index++) {
      const map = pickMap(family, index);
      this.#lines.push(`add map ${table} ${map} { type ${family.keyType} : ipv4_addr . inet_service; }`);
      this.#lines.push(`add chain ${table} ${map}`);
      this.#lines.push(`add rule ${table} ${map} dnat ip to ${family.keyExpression} map @${map}`);
    }
    if (count > have) this.#set(picks, family.prefix, count);
    const known = spreads.get(family.prefix) ?? new Set<number>();
    spreads.set(family.prefix, known);
    if (known.has(count)) return;
    known.add(count);
    this.#undo.push(() => known.delete(count));
    const choices = Array.from({ length: count }, (_, index) => `${index} : goto ${pickMap(family, index)}`).join(', ');
    this.#lines.push(`add chain ${table} ${spreadChain(family, count)}`);
    this.#lines.push(`add rule ${table} ${spreadChain(family, count)} numgen random mod ${count} vmap { ${choices} }`);
  }

  #useEndpoint(ip: string, by: 1 | -1): void {
    const uses = this.#picture.endpointUses.get(ip) ?? 0;
    this.#set(this.#picture.endpointUses, ip, uses + by);
    if (uses === 0 && by === 1) this.#element('add', 'hairpin', `${ip} . ${ip}`);
    if (uses === 1 && by === -1) this.#element('delete', 'hairpin', `${ip} . ${ip}`);
  }

  #element(verb: 'add' | 'delete', set: string, element: string): void {
    this.#lines.push(`${verb} element ${table} ${set} { ${element} }`);
  }

  #setFront(dispatch: Dispatch): void {
    this.#set(this.#picture.fronts, frontOf(dispatch), dispatch);
  }

  #dropFront(dispatch: Dispatch): void {
    const { fronts } = this.#picture;
    fronts.delete(frontOf(dispatch));
    this.#undo.push(() => fronts.set(frontOf(dispatch), dispatch));
  }

  /** Sets a value so that `rollback` can take it back. */
  #set<V>(map: Map<string, V>, key: string, value: V): void {
    const before = map.get(key);
    map.set(key, value);
    this.#undo.push(() => (before === undefined ? map.delete(key) : map.set(key, before)));
  }
}

function emptyPicture(): Picture {
  return { fronts: new Map(), spreads: new Map(), picks: new Map(), endpointUses: new Map() };
}

/** True where only endpoint elements make the difference. */
function canMove(previous: Dispatch, next: Dispatch): boolean {
  const isPlain = ({ endpoints, affinitySeconds, sourceRanges }: Dispatch): boolean =>
    endpoints.length > 0 && affinitySeconds === undefined && sourceRanges.length === 0;
  return isPlain(previous) && isPlain(next) && previous.masquerade === next.masquerade;
}

/** `next` in an order that leaves as many endpoints as possible where they were. */
function keepPlaces(before: readonly EndpointAddress[], next: readonly EndpointAddress[]): readonly EndpointAddress[] {
  const wanted = new Map(next.map((endpoint) => [addressText(endpoint), endpoint]));
  const placed: (EndpointAddress | undefined)[] = before.slice(0, next.length).map((endpoint) => {
    const kept = wanted.get(addressText(endpoint));
    wanted.delete(addressText(endpoint));
    return kept;
  });
  const rest = [...wanted.values()];
  return Array.from({ length: next.length }, (_, index) => placed[index] ?? rest.shift()).filter((endpoint) => endpoint !== undefined);
}

function placeOf(dispatch: Dispatch): { family: FrontFamily; key: string } {
  return { family: families[dispatch.at], key: frontOf(dispatch) };
}

function addressText({ ip, port }: EndpointAddress): string {
  return `${ip} . ${port}`;
}

const pickMap = (family: FrontFamily, index: number): string => `${family.prefix}_pick_${index}`;
const spreadChain = (family: FrontFamily, count: number): string => `${family.prefix}_spread_${count}`;
const affinityChain = (key: string): string => `affinity_${digest(key)}`;
const affinitySet = (key: string, endpoint: EndpointAddress): string => `${affinityChain(key)}_${digest(addressText(endpoint))}`;

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 10);
}
