import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Service } from '#api/core/service/service.ts';
import { AddressLedger } from './ledger.ts';
import { cleanupFinalizer, type LoadBalancerPlan, planLoadBalancer, addressAnnotation } from './plan.ts';
import { firstFree, parseRange } from './pool.ts';

const ranges = [parseRange('10.0.0.1-10.0.0.3')];

interface Traits {
  readonly spec?: Partial<Service['spec']>;
  readonly shows?: readonly string[];
  readonly finalizers?: string[];
  readonly annotations?: Record<string, string>;
  readonly isGoing?: boolean;
}

function balanced({ spec, shows = [], finalizers = [], annotations = {}, isGoing = false }: Traits = {}): Service {
  return {
    metadata: {
      name: 'web',
      namespace: 'default',
      finalizers,
      annotations,
      ...(isGoing ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    },
    spec: { type: 'LoadBalancer', ...spec },
    status: { loadBalancer: { ingress: shows.map((ip) => ({ ip, ipMode: 'VIP' })) } },
  };
}

const held = { shows: ['10.0.0.2'], finalizers: [cleanupFinalizer] };
const taken = ['10.0.0.1'];

test.each<[what: string, traits: Traits, expected: LoadBalancerPlan]>([
  ['a new one gets the first free', {}, { kind: 'assign', address: '10.0.0.2' }],
  ['one that has an address keeps it', held, { kind: 'keep', address: '10.0.0.2' }],
  ['one without the finalizer gets it', { shows: ['10.0.0.2'] }, { kind: 'assign', address: '10.0.0.2' }],
  ['what is shown besides goes', { ...held, shows: ['10.0.0.2', '10.0.0.3'] }, { kind: 'assign', address: '10.0.0.2' }],
  ['one outside of the pool moves', { ...held, shows: ['10.9.9.9'] }, { kind: 'assign', address: '10.0.0.2' }],
  ["one that is another's moves", { ...held, shows: ['10.0.0.1'] }, { kind: 'assign', address: '10.0.0.2' }],
  ['a wish is granted', { spec: { loadBalancerIP: '10.0.0.3' } }, { kind: 'assign', address: '10.0.0.3' }],
  ['a new wish, too', { ...held, spec: { loadBalancerIP: '10.0.0.3' } }, { kind: 'assign', address: '10.0.0.3' }],
  ['an empty wish is none', { ...held, spec: { loadBalancerIP: '' } }, { kind: 'keep', address: '10.0.0.2' }],
  [
    'the annotation goes before the field',
    { spec: { loadBalancerIP: '10.0.0.3' }, annotations: { [addressAnnotation]: '10.0.0.2' } },
    { kind: 'assign', address: '10.0.0.2' },
  ],
  [
    'a wish that is taken',
    { ...held, spec: { loadBalancerIP: '10.0.0.1' } },
    { kind: 'refuse', why: "the address 10.0.0.1 that it asks for is another Service's" },
  ],
  [
    'a wish from elsewhere',
    { spec: { loadBalancerIP: '10.1.0.1' } },
    { kind: 'refuse', why: 'the address 10.1.0.1 that it asks for is not in the pool' },
  ],
  ['one of a class is somebody else`s', { spec: { loadBalancerClass: 'a.b/c' } }, { kind: 'nothing' }],
  ['also while it goes', { ...held, spec: { loadBalancerClass: 'a.b/c' }, isGoing: true }, { kind: 'nothing' }],
  ['one that goes gives back', { ...held, isGoing: true }, { kind: 'release' }],
  ['one that goes and has nothing', { isGoing: true }, { kind: 'nothing' }],
  ['one of another type gives back', { ...held, spec: { type: 'ClusterIP' }, shows: [] }, { kind: 'release' }],
  ['one that never was one', { spec: { type: 'ClusterIP' } }, { kind: 'nothing' }],
])('%s', (_what, traits, expected) => {
  expect(planLoadBalancer(balanced(traits), { ranges }, (ip) => taken.includes(ip))).toEqual(expected);
});

test('nothing left', () => {
  const expected = { kind: 'refuse', why: 'no address of the pool is free' };
  expect(planLoadBalancer(balanced(), { ranges }, () => true)).toEqual(expected);
});

test('a pool with a class serves that class only', () => {
  const pool = { ranges, loadBalancerClass: 'coxswain.dev/plain' };
  const mine = balanced({ spec: { loadBalancerClass: 'coxswain.dev/plain' } });
  expect(planLoadBalancer(mine, pool, () => false)).toEqual({ kind: 'assign', address: '10.0.0.1' });
  expect(planLoadBalancer(balanced(), pool, () => false)).toEqual({ kind: 'nothing' });
});

describe('whatever comes and goes', () => {
  test('no two Services hold one address, and none waits while one is free', () => {
    const steps = fc.array(fc.tuple(fc.constantFrom('come', 'go'), fc.integer({ min: 0, max: 5 })), { maxLength: 40 });
    fc.assert(
      fc.property(steps, (list) => {
        const ledger = new AddressLedger();
        const has = new Map<string, string>();
        for (const [step, at] of list) {
          const key = `default/s${at}`;
          if (step === 'go') {
            ledger.free(key);
            has.delete(key);
            continue;
          }
          const shows = has.get(key);
          const isTaken = (ip: string): boolean => (ledger.holderOf(ip) ?? key) !== key;
          const plan = planLoadBalancer(balanced(shows === undefined ? {} : { ...held, shows: [shows] }), { ranges }, isTaken);
          if (plan.kind === 'refuse') expect(firstFree(ranges, isTaken)).toBeUndefined();
          if (plan.kind !== 'assign' && plan.kind !== 'keep') continue;
          if (shows !== undefined) expect(plan).toEqual({ kind: 'keep', address: shows });
          ledger.give(key, plan.address);
          has.set(key, plan.address);
        }
        expect(new Set(has.values()).size).toBe(has.size);
      }),
    );
  });
});
