// Renders dispatches as a script for `nft -f`. INVARIANT: a rendered script is applied as one transaction or not at all, and the caller
// calls `commit` or `rollback` accordingly, so that the picture here always equals the rules in the kernel.
import { createHash } from 'node:crypto';
import type { DispatchChanges } from '../../model/claims.ts';
import { type Dispatch, type EndpointAddress, frontOf, placeOf, sameDispatch } from '../../model/dispatch.ts';
import { Picture } from './picture.ts';
import { type FrontFamily, familyOf, masqueradeSet, skeleton, tableName, virtualAddresses } from './skeleton.ts';

const table = `ip ${tableName}`;
/** Chains that spread over at most this many endpoints are kept; larger ones are removed with their last front, which bounds their number. */
const keptSpread = 16;

export class NftScript {
  readonly #podCidrs: readonly string[];
  #picture = new Picture();
  /** The picture before a full replacement, until that is committed. */
  #before: Picture | undefined;
  #lines: string[] = [];

  /** @param podCidrs networks of pods; clients outside of them are masqueraded where a dispatch says `outside-pods`. */
  constructor(podCidrs: readonly string[]) {
    this.#podCidrs = podCidrs;
  }

  /** A script that replaces all rules. */
  renderAll(all: Iterable<Dispatch>): string {
    this.#before = this.#picture;
    this.#picture = new Picture();
    this.#lines = [skeleton(this.#podCidrs)];
    for (const dispatch of all) this.#add(dispatch);
    return this.#lines.join('\n');
  }

  /** A script for the difference; '' when there is none. */
  render(changes: DispatchChanges): string {
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
    this.#before = undefined;
    this.#picture.commit();
  }

  /** The last script was rejected. */
  rollback(): void {
    if (this.#before === undefined) this.#picture.rollback();
    else this.#picture = this.#before;
    this.#before = undefined;
  }

  /** UDP fronts among the changes that lose endpoints: their conntrack entries must be deleted, or their flows would keep the old endpoint. */
  staleUdp(changes: DispatchChanges): readonly { readonly front: Dispatch; readonly gone: readonly EndpointAddress[] }[] {
    return [...changes].flatMap(([front, next]) => {
      const previous = this.#picture.fronts.get(front);
      if (previous === undefined || previous.protocol !== 'udp') return [];
      const gone = without(previous.endpoints, next?.endpoints ?? []);
      return gone.length > 0 ? [{ front: previous, gone }] : [];
    });
  }

  #add(dispatch: Dispatch): void {
    const [family, key] = [familyOf(dispatch), placeOf(dispatch)];
    const { endpoints, affinitySeconds } = dispatch;
    this.#picture.set(this.#picture.fronts, frontOf(dispatch), dispatch);
    if (endpoints.length === 0) {
      this.#element('add', family.emptyMap, `${key} : goto ${dispatch.whenEmpty === 'reject' ? 'refuse' : 'discard'}`);
    } else if (affinitySeconds === undefined) {
      for (const [index, endpoint] of endpoints.entries()) this.#pick('add', family, index, key, endpoint);
      this.#spread('add', family, key, endpoints.length);
    } else {
      this.#line(`add chain ${table} ${affinityChain(dispatch)}`);
      for (const endpoint of endpoints) this.#addSticky(dispatch, endpoint, affinitySeconds);
      this.#chooseSticky(dispatch);
      this.#element('add', family.dispatchMap, `${key} : goto ${affinityChain(dispatch)}`);
    }
    this.#surround('add', dispatch, family, key);
    for (const { ip } of endpoints) this.#useEndpoint(ip, 1);
  }

  #remove(dispatch: Dispatch): void {
    const [family, key] = [familyOf(dispatch), placeOf(dispatch)];
    const { endpoints, affinitySeconds } = dispatch;
    this.#picture.delete(this.#picture.fronts, frontOf(dispatch));
    if (endpoints.length === 0) {
      this.#element('delete', family.emptyMap, key);
    } else if (affinitySeconds === undefined) {
      this.#spread('delete', family, key, endpoints.length);
      for (const [index, endpoint] of endpoints.entries()) this.#pick('delete', family, index, key, endpoint);
    } else {
      this.#element('delete', family.dispatchMap, key);
      this.#dropChain(affinityChain(dispatch));
      for (const endpoint of endpoints) this.#removeSticky(dispatch, endpoint);
    }
    this.#surround('delete', dispatch, family, key);
    for (const { ip } of endpoints) this.#useEndpoint(ip, -1);
  }

  /** One endpoint more or less costs its own elements: the others keep their index, and their clients, where they can. */
  #move(previous: Dispatch, wanted: Dispatch): void {
    const next = { ...wanted, endpoints: keepPlaces(previous.endpoints, wanted.endpoints) };
    this.#picture.set(this.#picture.fronts, frontOf(next), next);
    if (next.affinitySeconds === undefined) this.#movePicks(previous.endpoints, next);
    else this.#moveSticky(previous.endpoints, next, next.affinitySeconds);
    for (const { ip } of without(next.endpoints, previous.endpoints)) this.#useEndpoint(ip, 1);
    for (const { ip } of without(previous.endpoints, next.endpoints)) this.#useEndpoint(ip, -1);
  }

  #movePicks(before: readonly EndpointAddress[], next: Dispatch): void {
    const [family, key, after] = [familyOf(next), placeOf(next), next.endpoints];
    const isResized = before.length !== after.length;
    if (isResized) this.#spread('delete', family, key, before.length);
    for (let index = 0; index < Math.max(before.length, after.length); index++) {
      const [old, now] = [before[index], after[index]];
      if (old !== undefined && now !== undefined && addressText(old) === addressText(now)) continue;
      if (old !== undefined) this.#pick('delete', family, index, key, old);
      if (now !== undefined) this.#pick('add', family, index, key, now);
    }
    if (isResized) this.#spread('add', family, key, after.length);
  }

  #moveSticky(before: readonly EndpointAddress[], next: Dispatch, seconds: number): void {
    this.#line(`flush chain ${table} ${affinityChain(next)}`);
    for (const endpoint of without(before, next.endpoints)) this.#removeSticky(next, endpoint);
    for (const endpoint of without(next.endpoints, before)) this.#addSticky(next, endpoint, seconds);
    this.#chooseSticky(next);
  }

  /** An endpoint with affinity: a set of the clients that it has, and the chain that leads to it and remembers. */
  #addSticky(dispatch: Dispatch, endpoint: EndpointAddress, seconds: number): void {
    const name = affinitySet(dispatch, endpoint);
    this.#line(`add set ${table} ${name} { type ipv4_addr; flags dynamic,timeout; timeout ${seconds}s; }`);
    this.#line(`add chain ${table} ${name}`);
    const target = `dnat ip to ${endpoint.ip}:${endpoint.port}`;
    this.#line(`add rule ${table} ${name} meta l4proto ${dispatch.protocol} update @${name} { ip saddr } ${target}`);
  }

  #removeSticky(dispatch: Dispatch, endpoint: EndpointAddress): void {
    this.#dropChain(affinitySet(dispatch, endpoint));
    this.#line(`delete set ${table} ${affinitySet(dispatch, endpoint)}`);
  }

  /** A client that was seen lately goes where it went; the others get a random endpoint. */
  #chooseSticky(dispatch: Dispatch): void {
    const chain = affinityChain(dispatch);
    const names = dispatch.endpoints.map((endpoint) => affinitySet(dispatch, endpoint));
    for (const name of names) this.#line(`add rule ${table} ${chain} ip saddr @${name} goto ${name}`);
    this.#line(`add rule ${table} ${chain} ${randomOf(names)}`);
  }

  /** What stands around a front, whatever its endpoints are: masquerading, the firewall, the address itself. */
  #surround(verb: 'add' | 'delete', dispatch: Dispatch, family: FrontFamily, key: string): void {
    if (dispatch.masquerade !== 'never') this.#element(verb, masqueradeSet(family, dispatch.masquerade), key);
    if (dispatch.isVirtual) {
      const uses = this.#picture.count(this.#picture.virtualUses, dispatch.address, verb === 'add' ? 1 : -1);
      if (uses === (verb === 'add' ? 1 : 0)) this.#element(verb, virtualAddresses, dispatch.address);
    }
    if (dispatch.sourceRanges.length === 0) return;
    const chain = `firewall_${digest(frontOf(dispatch))}`;
    if (verb === 'add') {
      this.#line(`add chain ${table} ${chain}`);
      this.#line(`add rule ${table} ${chain} ip saddr { ${dispatch.sourceRanges.join(', ')} } return`);
      this.#line(`add rule ${table} ${chain} drop`);
      this.#element('add', family.firewallMap, `${key} : jump ${chain}`);
    } else {
      this.#element('delete', family.firewallMap, key);
      this.#dropChain(chain);
    }
  }

  #pick(verb: 'add' | 'delete', family: FrontFamily, index: number, key: string, endpoint: EndpointAddress): void {
    const map = pickMap(family, index);
    if ((this.#picture.picks.get(family.prefix) ?? 0) <= index) {
      this.#line(`add map ${table} ${map} { type ${family.keyType} : ipv4_addr . inet_service; }`);
      this.#line(`add chain ${table} ${map}`);
      this.#line(`add rule ${table} ${map} dnat ip to ${family.keyExpression} map @${map}`);
      this.#picture.set(this.#picture.picks, family.prefix, index + 1);
    }
    this.#element(verb, map, verb === 'add' ? `${key} : ${addressText(endpoint)}` : key);
  }

  /** Ties a front to the chain that spreads over `count` endpoints, or unties it. */
  #spread(verb: 'add' | 'delete', family: FrontFamily, key: string, count: number): void {
    const chain = `${family.prefix}_spread_${count}`;
    const { spreads } = this.#picture;
    if (verb === 'add') {
      if (!spreads.has(chain)) {
        this.#line(`add chain ${table} ${chain}`);
        this.#line(`add rule ${table} ${chain} ${randomOf(Array.from({ length: count }, (_, index) => pickMap(family, index)))}`);
      }
      this.#picture.set(spreads, chain, (spreads.get(chain) ?? 0) + 1);
      this.#element('add', family.dispatchMap, `${key} : goto ${chain}`);
      return;
    }
    this.#element('delete', family.dispatchMap, key);
    const uses = (spreads.get(chain) ?? 0) - 1;
    if (uses > 0 || count <= keptSpread) {
      this.#picture.set(spreads, chain, uses);
      return;
    }
    this.#picture.delete(spreads, chain);
    this.#dropChain(chain);
  }

  #useEndpoint(ip: string, by: 1 | -1): void {
    const uses = this.#picture.count(this.#picture.endpointUses, ip, by);
    if (uses === 1 && by === 1) this.#element('add', 'hairpin', `${ip} . ${ip}`);
    if (uses === 0) this.#element('delete', 'hairpin', `${ip} . ${ip}`);
  }

  #dropChain(chain: string): void {
    this.#line(`flush chain ${table} ${chain}`);
    this.#line(`delete chain ${table} ${chain}`);
  }

  #element(verb: 'add' | 'delete', set: string, element: string): void {
    this.#line(`${verb} element ${table} ${set} { ${element} }`);
  }

  #line(text: string): void {
    this.#lines.push(text);
  }
}

/** True where only endpoints make the difference, and there are some before and after. */
function canMove(previous: Dispatch, next: Dispatch): boolean {
  if (previous.endpoints.length === 0 || next.endpoints.length === 0) return false;
  return sameDispatch({ ...previous, endpoints: [] }, { ...next, endpoints: [] });
}

/** `next` in an order that leaves as many endpoints as possible where they were. */
function keepPlaces(before: readonly EndpointAddress[], next: readonly EndpointAddress[]): readonly EndpointAddress[] {
  const wanted = new Map(next.map((endpoint) => [addressText(endpoint), endpoint]));
  const placed: (EndpointAddress | undefined)[] = before.slice(0, next.length).map((endpoint) => {
    const kept = wanted.get(addressText(endpoint));
    wanted.delete(addressText(endpoint));
    return kept;
  });
  const rest = wanted.values();
  return Array.from({ length: next.length }, (_, index) => placed[index] ?? rest.next().value).filter((one) => one !== undefined);
}

function without(endpoints: readonly EndpointAddress[], others: readonly EndpointAddress[]): readonly EndpointAddress[] {
  const known = new Set(others.map(addressText));
  return endpoints.filter((endpoint) => !known.has(addressText(endpoint)));
}

/** Goes to one of the chains, each as likely as the others. */
function randomOf(chains: readonly string[]): string {
  return `numgen random mod ${chains.length} vmap { ${chains.map((chain, index) => `${index} : goto ${chain}`).join(', ')} }`;
}

function addressText({ ip, port }: EndpointAddress): string {
  return `${ip} . ${port}`;
}

const pickMap = (family: FrontFamily, index: number): string => `${family.prefix}_pick_${index}`;
const affinityChain = (dispatch: Dispatch): string => `affinity_${digest(frontOf(dispatch))}`;
const affinitySet = (dispatch: Dispatch, endpoint: EndpointAddress): string =>
  `${affinityChain(dispatch)}_${digest(addressText(endpoint))}`;

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 10);
}
