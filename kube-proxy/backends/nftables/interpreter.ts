// A small nft for tests: applies scripts as the kernel does (a line that does not fit refuses all of them), and computes the verdict for packets.
import assert from 'node:assert/strict';

interface Rules {
  /** Elements of sets and maps by key; sets have '' as value. */
  readonly sets: Map<string, Map<string, string>>;
  readonly chains: Map<string, string[]>;
}

export class NftInterpreter {
  #rules: Rules = { sets: new Map(), chains: new Map() };
  /** Lines about elements in the last script. */
  elementLines = 0;

  /** Throws, with nothing changed, where the kernel would refuse. */
  apply(script: string): void {
    const next: Rules = {
      sets: new Map([...this.#rules.sets].map(([name, elements]) => [name, new Map(elements)])),
      chains: new Map([...this.#rules.chains].map(([name, rules]) => [name, [...rules]])),
    };
    const lines = script.split('\n').map((line) => line.trim());
    this.elementLines = lines.filter((line) => /^(add|delete) element/.test(line)).length;
    for (const line of lines) applyLine(next, line);
    for (const target of targetsOf(next)) assert(next.chains.has(target), `goto ${target}, which is not there`);
    this.#rules = next;
  }

  get chainNames(): readonly string[] {
    return [...this.#rules.chains.keys()].toSorted();
  }

  elements(name: string): ReadonlyMap<string, string> {
    return this.#rules.sets.get(name) ?? new Map();
  }

  /** Everything that packets can meet, in words that do not depend on the order things were made in. */
  behaviour(): Record<string, unknown> {
    const { sets } = this.#rules;
    const whole: Record<string, unknown> = {};
    for (const [name, elements] of [...sets].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      if (/_pick_\d+$/.test(name) || name.startsWith('affinity_') || elements.size === 0) continue;
      whole[name] = Object.fromEntries(
        [...elements].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, verdict]) => [key, this.#follow(key, verdict)]),
      );
    }
    return whole;
  }

  /** Where a verdict leads a packet with this key: endpoints, or the rules of the chain. */
  #follow(key: string, verdict: string): readonly string[] {
    const [, chain = ''] = /^(?:goto|jump) (\S+)$/.exec(verdict) ?? [];
    const rules = this.#rules.chains.get(chain) ?? [];
    if (rules.length === 0) return chain === '' ? [] : [chain];
    return rules
      .flatMap((rule): readonly string[] => {
        const [, count = '', choices = ''] = /numgen random mod (\d+) vmap \{ (.*) \}/.exec(rule) ?? [];
        if (choices !== '') {
          const targets = choices.split(', ').map((choice) => choice.replace(/^\d+ : /, ''));
          assert.equal(targets.length, Number(count));
          return targets.flatMap((target) => this.#follow(key, target));
        }
        const [, map] = /^dnat ip to .* map @(\S+)$/.exec(rule) ?? [];
        if (map === undefined) return [rule];
        const endpoint = this.elements(map).get(key);
        assert(endpoint !== undefined, `${key} is not in ${map}`);
        return [endpoint];
      })
      .toSorted();
  }
}

function applyLine(rules: Rules, line: string): void {
  const [, verb = '', what = '', name = '', rest = ''] = /^(add|delete|flush) (\w+) ip \S+ ?(\S*) ?(.*)$/.exec(line) ?? [];
  if (verb === 'delete' && what === 'table') {
    rules.sets.clear();
    rules.chains.clear();
  } else if (what === 'element') changeElement(rules, verb, name, rest.replace(/^\{ | \}$/g, ''));
  else if (what === 'map' || what === 'set') changeSet(rules, verb, name);
  else if (what === 'chain') changeChain(rules, verb, name);
  else if (what === 'rule') {
    assert(rules.chains.has(name), `rule in ${name}, which is not there`);
    rules.chains.get(name)?.push(rest);
  } else applySkeleton(rules, line);
}

/** Lines of the block that makes the table: its empty sets and maps, and its chains without their rules. */
function applySkeleton(rules: Rules, line: string): void {
  const [, set] = /^(?:map|set) (\S+) \{ type/.exec(line) ?? [];
  const [, chain] = /^chain (\S+) \{/.exec(line) ?? [];
  if (set !== undefined) rules.sets.set(set, new Map());
  if (chain !== undefined) rules.chains.set(chain, []);
}

function changeElement({ sets }: Rules, verb: string, name: string, element: string): void {
  const [, key = '', value = ''] = /^(.*?)(?: : (.*))?$/.exec(element) ?? [];
  assert(!key.includes('refuse me'), 'refused, as the test asked for');
  const elements = sets.get(name);
  assert(elements !== undefined, `element of ${name}, which is not there`);
  assert.equal(elements.has(key), verb === 'delete', `${verb} element ${key} of ${name}`);
  if (verb === 'delete') elements.delete(key);
  else elements.set(key, value);
}

function changeSet({ sets, chains }: Rules, verb: string, name: string): void {
  assert.equal(sets.has(name), verb === 'delete', `${verb} ${name}`);
  if (verb === 'add') return void sets.set(name, new Map());
  const user = [...chains].find(([, rules]) => rules.some((rule) => rule.includes(`@${name} `) || rule.endsWith(`@${name}`)));
  assert.equal(user, undefined, `${name} is in use`);
  sets.delete(name);
}

function changeChain(rules: Rules, verb: string, name: string): void {
  assert.equal(rules.chains.has(name), verb !== 'add', `${verb} ${name}`);
  if (verb !== 'delete') return void rules.chains.set(name, []);
  rules.chains.delete(name);
  assert(!targetsOf(rules).has(name), `${name} is in use`);
}

function targetsOf({ sets, chains }: Rules): Set<string> {
  const texts = [...[...sets.values()].flatMap((elements) => [...elements.values()]), ...[...chains.values()].flat()];
  return new Set(texts.flatMap((text) => [...text.matchAll(/(?:goto|jump) (\w+)/g)].map(([, target = '']) => target)));
}
