import { labelSelectorOf } from '#api/meta/label-selector.ts';
import { hasReason } from '#api/meta/status.ts';
import { type ClusterRole, clusterRole } from '#api/rbac/cluster-role.ts';
import { type ControllerDefinition, defineController, done, on } from '#client/controller/define.ts';
import { planAggregation } from './plan.ts';

const name = 'clusterrole-aggregation-controller';

/** Fills cluster roles that gather the rules of others, by the labels of those. Any role may matter to any that gathers. */
export function roleAggregationController(): ControllerDefinition {
  return defineController<ClusterRole>({
    name,
    reconciles: clusterRole,
    reads: [],
    writes: [clusterRole],
    wakes: [
      on<ClusterRole>(clusterRole, (_role, _previous, cache) =>
        cache
          .list(clusterRole)
          .flatMap(({ aggregationRule, metadata }) => (aggregationRule === undefined ? [] : [{ name: metadata.name ?? '' }])),
      ),
    ],
    async reconcile({ key, cache, client, signal }) {
      const role = cache.get<ClusterRole>(clusterRole, key);
      if (role?.aggregationRule === undefined) return done;
      const selectors = (role.aggregationRule.clusterRoleSelectors ?? []).map(labelSelectorOf);
      const rules = planAggregation(role, selectors, cache.list(clusterRole));
      if (rules === undefined) return done;
      const body = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: key.name }, rules };
      try {
        await client.patch<ClusterRole>(clusterRole, key, body, { type: 'apply', force: true, fieldManager: name }, signal);
      } catch (error) {
        if (!hasReason(error, 'NotFound')) throw error;
      }
      return done;
    },
  });
}
