// Whole rollouts, with pods that become ready, fail and go whenever they like: whatever happens, the bounds hold and it ends.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Deployment } from '#api/apps/deployment.ts';
import type { ReplicaSet } from '#api/apps/replica-set.ts';
import { aDeployment, aSet, aTemplate, nowMs } from '../builders.ts';
import { planDeployment } from './plan.ts';
import { newSetAnnotations, sizeAnnotations } from './revisions.ts';
import { rollingBounds, sizeOf, sum, viewOf, wantedOf } from './view.ts';

/** A set and the pods that it has: the ReplicaSet controller and the nodes play along as far as `pace` lets them. */
interface Sim {
  set: ReplicaSet;
}

function apply(deployment: Deployment, sims: Sim[], image: string): number {
  const { steps } = planDeployment(
    viewOf(
      deployment,
      sims.map(({ set }) => set),
      nowMs,
    ),
    () => sims.some(({ set }) => (set.status?.replicas ?? 0) > 0),
  );
  for (const step of steps) {
    if (step.do === 'create') {
      const made = aSet({ name: image, image, size: step.size, replicas: 0, ageSeconds: 0 });
      sims.push({ set: { ...made, metadata: { ...made.metadata, annotations: newSetAnnotations(deployment, step.revision) } } });
      continue;
    }
    const at = sims.findIndex(({ set }) => set.metadata.name === step.set.metadata.name);
    const sim = sims[at];
    if (sim === undefined) throw new Error('a step about a set that is not there');
    const { set } = sim;
    if (step.do === 'delete') sims.splice(at, 1);
    if (step.do === 'sync') sim.set = { ...set, metadata: { ...set.metadata, annotations: step.annotations } };
    if (step.do === 'scale') {
      const annotations = { ...set.metadata.annotations, ...sizeAnnotations(deployment) };
      sim.set = { ...set, metadata: { ...set.metadata, annotations }, spec: { ...set.spec, replicas: step.size } };
    }
  }
  return steps.length;
}

/** Some pods come, go or become available. Pods that are not available are given up first, as the ReplicaSet controller does. */
function live(sim: Sim, share: number): void {
  const size = sizeOf(sim.set);
  const before = sim.set.status?.replicas ?? 0;
  const replicas = before > size ? size : before + Math.ceil((size - before) * share);
  const wasAvailable = Math.min(sim.set.status?.availableReplicas ?? 0, replicas);
  const available = wasAvailable + Math.ceil((replicas - wasAvailable) * share);
  sim.set = {
    ...sim.set,
    status: { ...sim.set.status, replicas, readyReplicas: available, availableReplicas: available, observedGeneration: 1 },
  };
}

const settings = fc.record({
  before: fc.integer({ min: 0, max: 12 }),
  replicas: fc.integer({ min: 0, max: 12 }),
  maxSurge: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constantFrom('0%', '25%', '50%', '100%')),
  maxUnavailable: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constantFrom('0%', '25%', '100%')),
  type: fc.constantFrom('RollingUpdate', 'Recreate'),
  images: fc.array(fc.constantFrom('web:1', 'web:2', 'web:3'), { minLength: 1, maxLength: 4 }),
  shares: fc.array(fc.constantFrom(0, 0.3, 1), { minLength: 5, maxLength: 30 }),
});

test('a rollout stays within its bounds and settles on the wanted template', () => {
  fc.assert(
    fc.property(settings, ({ before, replicas, maxSurge, maxUnavailable, type, images, shares }) => {
      const strategy = type === 'Recreate' ? { type } : { type, rollingUpdate: { maxSurge, maxUnavailable } };
      const start = aSet({ name: 'web:0', image: 'web:0', size: before, ageSeconds: 999, revision: 1, desired: before, max: before });
      const sims: Sim[] = [{ set: start }];
      let deployment = aDeployment({ replicas, strategy, template: aTemplate('web:0') });
      let age = 900;
      const round = (image: string, share: number): number => {
        deployment = { ...deployment, spec: { ...deployment.spec, template: aTemplate(image) } };
        const availableBefore = sum(
          sims.map(({ set }) => set),
          ({ status }) => status?.availableReplicas ?? 0,
        );
        const sizeBefore = sum(
          sims.map(({ set }) => set),
          sizeOf,
        );
        const known = sims.length;
        const steps = apply(deployment, sims, image);
        for (const made of sims.slice(known)) made.set.metadata.creationTimestamp = new Date(nowMs - age-- * 1_000).toISOString();
        if (type === 'RollingUpdate') check(deployment, sims, { availableBefore, sizeBefore });
        for (const sim of sims) live(sim, share);
        return steps;
      };
      for (const [at, share] of shares.entries()) round(images[at % images.length] ?? 'web:1', share);
      const last = images.at(-1) ?? 'web:1';
      for (let rounds = 0; rounds < 80; rounds++) round(last, 1);
      expect(round(last, 1)).toBe(0);
      const left = Object.fromEntries(sims.filter(({ set }) => sizeOf(set) > 0).map(({ set }) => [set.metadata.name, sizeOf(set)]));
      expect(left).toEqual(replicas === 0 ? {} : { [last]: replicas });
    }),
    { numRuns: 200 },
  );
});

/** Never more than wanted and surge, unless there were more; never fewer available than allowed, unless there were fewer. */
function check(deployment: Deployment, sims: readonly Sim[], before: { availableBefore: number; sizeBefore: number }): void {
  const sets = sims.map(({ set }) => set);
  const { maxSurge, maxUnavailable } = rollingBounds(deployment);
  expect(sum(sets, sizeOf)).toBeLessThanOrEqual(Math.max(before.sizeBefore, wantedOf(deployment) + maxSurge));
  // What a set must give up beyond its unavailable pods.
  const kept = sum(sets, (set) => Math.min(sizeOf(set), set.status?.availableReplicas ?? 0));
  expect(kept).toBeGreaterThanOrEqual(Math.min(before.availableBefore, wantedOf(deployment) - maxUnavailable));
}
