import { type ReplicaSet, replicaSet } from '#api/apps/replica-set.ts';
import { type ReplicationController, replicationController } from '#api/core/replication-controller.ts';
import { labelSelectorOf, mapSelectorOf, selectNothing } from '#api/meta/label-selector.ts';
import type { Clock } from '#base/clock.ts';
import type { ControllerDefinition } from '#client/controller/define.ts';
import { replicasController } from './controller.ts';

/** Upstream's replicaset-controller. */
export function replicaSetController(clock: Clock): ControllerDefinition {
  const selectorOf = ({ spec }: ReplicaSet) => labelSelectorOf(spec.selector);
  return replicasController<ReplicaSet>({ name: 'replicaset-controller', kind: replicaSet, selectorOf, countsTerminating: true }, clock);
}

/** Upstream's replicationcontroller-controller. */
export function replicationControllerController(clock: Clock): ControllerDefinition {
  const selectorOf = ({ spec }: ReplicationController) => (spec.selector === undefined ? selectNothing : mapSelectorOf(spec.selector));
  return replicasController<ReplicationController>(
    { name: 'replicationcontroller-controller', kind: replicationController, selectorOf, countsTerminating: false },
    clock,
  );
}
