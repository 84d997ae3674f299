import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Dispatch, frontOf } from '../../model/dispatch.ts';
import { aDispatch, someEndpoints } from '../../model/testing.ts';
import { NftInterpreter } from './interpreter.ts';
import { NftScript } from './script.ts';

const podCidrs = ['10.244.0.0/16'];
const ips = (count: number, from = 0): string[] => Array.from({ length: count }, (_, i) => `10.244.${(i + from) >> 8}.${(i + from) & 255}`);

describe('NftScript', () => {
  let script: NftScript;
  let kernel: NftInterpreter;
  beforeEach(() => {
    script = new NftScript(podCidrs);
    kernel = new NftInterpreter();
    apply(script.renderAll([]));
  });
  const apply = (text: string): void => {
    kernel.apply(text);
    script.commit();
  };
  const change = (...dispatches: Dispatch[]): void => apply(script.render(new Map(dispatches.map((one) => [frontOf(one), one]))));
  const remove = (dispatch: Dispatch): void => apply(script.render(new Map([[frontOf(dispatch), undefined]])));
  const targets = (map = 'address_services', key = '10.96.0.5 . tcp . 80'): unknown =>
    (kernel.behaviour()[map] as Record<string, unknown> | undefined)?.[key];

  test('a front leads to its endpoints, evenly', () => {
    change(aDispatch({ endpoints: someEndpoints('10.244.0.2', '10.244.0.3') }));
    expect(targets()).toEqual(['10.244.0.2 . 8080', '10.244.0.3 . 8080']);
    expect(kernel.behaviour()['hairpin']).toEqual({ '10.244.0.2 . 10.244.0.2': [], '10.244.0.3 . 10.244.0.3': [] });
  });

  test.each<[string, string[], number]>([
    ['one endpoint replaced', [...ips(2_999), '10.250.0.1'], 4],
    ['one endpoint more', [...ips(3_000), '10.250.0.1'], 4],
    ['one endpoint less, in the middle', ips(3_000).filter((ip) => ip !== '10.244.1.1'), 6],
    ['the order of endpoints', ips(3_000).toReversed(), 0],
  ])('of 3,000 endpoints, %s changes few elements', (_name, next, elements) => {
    change(aDispatch({ endpoints: someEndpoints(...ips(3_000)) }));
    const text = script.render(new Map([[frontOf(aDispatch()), aDispatch({ endpoints: someEndpoints(...next) })]]));
    apply(text);
    expect(kernel.elementLines).toBe(elements);
    expect(targets()).toEqual(next.map((ip) => `${ip} . 8080`).toSorted());
  });

  test('large spreads go with their last front: no size that once was stays', () => {
    const before = kernel.chainNames.length;
    for (let count = 1; count <= 200; count++) change(aDispatch({ endpoints: someEndpoints(...ips(count)) }));
    expect(kernel.chainNames.filter((name) => name.startsWith('address_spread_'))).toHaveLength(17);
    remove(aDispatch());
    expect(kernel.chainNames.filter((name) => name.startsWith('address_spread_'))).toHaveLength(16);
    expect(kernel.chainNames.length - before).toBe(200 + 16);
  });

  test('between empty and not empty, and gone', () => {
    change(aDispatch());
    expect(kernel.behaviour()['address_empty']).toEqual({ '10.96.0.5 . tcp . 80': ['refuse'] });
    change(aDispatch({ endpoints: someEndpoints('10.244.0.2') }));
    expect(kernel.behaviour()['address_empty']).toBeUndefined();
    change(aDispatch({ whenEmpty: 'drop' }));
    expect(targets('address_empty')).toEqual(['discard']);
    remove(aDispatch());
    expect(kernel.behaviour()).toEqual({});
  });

  test('a Service address counts as one as long as any of its ports is there', () => {
    const [http, https] = [aDispatch({ isVirtual: true }), aDispatch({ isVirtual: true, port: 443 })];
    change(http, https);
    remove(http);
    expect([...kernel.elements('virtual_addresses').keys()]).toEqual(['10.96.0.5']);
    remove(https);
    expect(kernel.elements('virtual_addresses').size).toBe(0);
  });

  test('a refused script leaves the picture as the kernel is', () => {
    const good = aDispatch({ endpoints: someEndpoints('10.244.0.2') });
    change(good);
    const bad = aDispatch({ address: 'refuse me', endpoints: someEndpoints('10.244.0.9') });
    const grown = aDispatch({ endpoints: someEndpoints(...ips(40)) });
    for (const changes of [
      [bad, grown],
      [grown, bad],
    ]) {
      expect(() => kernel.apply(script.render(new Map(changes.map((one) => [frontOf(one), one]))))).toThrow(/refused/);
      script.rollback();
    }
    expect(() => kernel.apply(script.renderAll([bad]))).toThrow(/refused/);
    script.rollback();
    change(grown);
    expect(targets()).toHaveLength(40);
  });

  describe('client affinity', () => {
    const sticky = (...addresses: string[]): Dispatch => aDispatch({ affinitySeconds: 60, endpoints: someEndpoints(...addresses) });
    const clientSets = (text: string): string[] => text.split('\n').filter((line) => /^(add|delete) set/.test(line));

    test('clients keep what stays; only what comes and goes is made and unmade', () => {
      change(sticky('10.244.0.2', '10.244.0.3'));
      const text = script.render(new Map([[frontOf(sticky()), sticky('10.244.0.3', '10.244.0.4')]]));
      expect(clientSets(text).map((line) => line.split(' ')[0])).toEqual(['delete', 'add']);
      apply(text);
      const led = (targets() as string[]).flatMap((rule) => rule.match(/10\.244\.0\.\d+/) ?? []);
      expect(led.toSorted()).toEqual(['10.244.0.3', '10.244.0.4']);
    });

    test('another time makes all anew, and going away leaves nothing', () => {
      const before = kernel.chainNames;
      change(sticky('10.244.0.2'));
      change({ ...sticky('10.244.0.2'), affinitySeconds: 61 });
      change(aDispatch({ endpoints: someEndpoints('10.244.0.2') }));
      remove(sticky());
      expect(kernel.chainNames.filter((name) => name.startsWith('affinity'))).toEqual([]);
      expect(kernel.chainNames.filter((name) => !/_(spread|pick)_/.test(name))).toEqual(before);
    });
  });

  test('UDP fronts say which endpoints they lost', () => {
    const udp = aDispatch({ protocol: 'udp', endpoints: someEndpoints('10.244.0.2', '10.244.0.3') });
    const tcp = aDispatch({ endpoints: someEndpoints('10.244.0.2', '10.244.0.3') });
    change(udp, tcp);
    const next = [udp, tcp].map((one) => ({ ...one, endpoints: someEndpoints('10.244.0.3') }));
    expect(script.staleUdp(new Map(next.map((one) => [frontOf(one), one])))).toMatchObject([{ gone: [{ ip: '10.244.0.2' }] }]);
    expect(script.staleUdp(new Map([[frontOf(udp), undefined]]))).toMatchObject([{ gone: [{ ip: '10.244.0.2' }, { ip: '10.244.0.3' }] }]);
  });
});

describe('any sequence of changes', () => {
  const anEndpoint = fc.record({ ip: fc.integer({ min: 1, max: 9 }).map((i) => `10.244.0.${i}`), port: fc.constantFrom(8_080, 9_090) });
  const aWish = fc
    .record({
      at: fc.constantFrom('address' as const, 'node-port' as const),
      clients: fc.constantFrom('all' as const, 'inside' as const),
      protocol: fc.constantFrom('tcp' as const, 'udp' as const),
      port: fc.constantFrom(80, 443),
      endpoints: fc.uniqueArray(anEndpoint, { maxLength: 24, selector: ({ ip, port }) => `${ip}:${port}` }),
      affinitySeconds: fc.constantFrom(undefined, undefined, 60, 90),
      masquerade: fc.constantFrom('never' as const, 'outside-pods' as const, 'always' as const),
      whenEmpty: fc.constantFrom('reject' as const, 'drop' as const),
      isVirtual: fc.boolean(),
      sourceRanges: fc.constantFrom([], ['10.0.0.0/8'], ['10.0.0.0/8', '192.168.0.0/16']),
    })
    .map((wish): Dispatch => {
      const isAddress = wish.at === 'address';
      return aDispatch({ ...wish, address: isAddress ? '10.96.0.5' : '', isVirtual: isAddress && wish.isVirtual });
    });
  const aStep = fc.record({
    wishes: fc.array(fc.record({ dispatch: aWish, isGone: fc.boolean() }), { minLength: 1, maxLength: 4 }),
    isRefused: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
    isWhole: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
  });

  test('equals one script of the result, also when some are refused', () => {
    fc.assert(
      fc.property(fc.array(aStep, { maxLength: 12 }), (steps) => {
        const script = new NftScript(podCidrs);
        const kernel = new NftInterpreter();
        let wanted = new Map<string, Dispatch>();
        kernel.apply(script.renderAll([]));
        script.commit();
        for (const { wishes, isRefused, isWhole } of steps) {
          const changes = new Map(wishes.map(({ dispatch, isGone }) => [frontOf(dispatch), isGone ? undefined : dispatch]));
          const next = new Map(
            [...new Map([...wanted, ...changes])].flatMap(([front, one]) => (one === undefined ? [] : [[front, one] as const])),
          );
          const text = isWhole ? script.renderAll(next.values()) : script.render(changes);
          if (isRefused) {
            script.rollback();
            continue;
          }
          kernel.apply(text);
          script.commit();
          wanted = next;
        }
        const whole = new NftInterpreter();
        whole.apply(new NftScript(podCidrs).renderAll(wanted.values()));
        expect(kernel.behaviour()).toEqual(whole.behaviour());
      }),
      { numRuns: 300 },
    );
  });
});
