import type { KindDefinition } from '#api/kind.ts';
import type { Clock } from '#base/clock.ts';
import type { Metrics } from '#base/metrics.ts';
import type { ControllerDefinition } from '#client/controller/define.ts';
import { loadBalancerController } from '#client/load-balancer/controller.ts';
import type { Pool } from '#client/load-balancer/plan.ts';
import { parseRange } from '#client/load-balancer/pool.ts';
import { bootstrapSignerController } from './bootstrap-tokens/signer-controller.ts';
import { tokenCleanerController } from './bootstrap-tokens/cleaner-controller.ts';
import { requestApprovingController } from './certificates/approving-controller.ts';
import { requestCleanerController } from './certificates/cleaner-controller.ts';
import { requestSigningController, type SigningOptions } from './certificates/signing-controller.ts';
import { deploymentController } from './deployment/controller.ts';
import { disruptionController } from './disruption/controller.ts';
import { staleTargetController } from './disruption/stale-targets.ts';
import { endpointsController } from './endpoints/endpoints-controller.ts';
import { endpointSliceMirroringController } from './endpoints/mirroring-controller.ts';
import { endpointSliceController } from './endpoints/slices-controller.ts';
import { namespaceController } from './namespace/controller.ts';
import { nodeIpamController } from './node/ipam-controller.ts';
import { type NodeLifecycleOptions, nodeLifecycleController, upstreamTimings } from './node/lifecycle-controller.ts';
import { nodeMetrics } from './node/node-metrics.ts';
import { secretTtlController } from './node/secret-ttl-controller.ts';
import { taintEvictionController } from './node/taint-eviction-controller.ts';
import { replicaSetController, replicationControllerController } from './replicas/kinds.ts';
import { resourceQuotaController } from './resource-quota/controller.ts';
import { roleAggregationController } from './role-aggregation/controller.ts';
import { rootCaController } from './root-ca/controller.ts';
import { claimProtectionController, classProtectionController, volumeProtectionController } from './volume-protection/controllers.ts';
import { serviceCidrController } from './service-cidrs/controller.ts';
import { serviceAccountController } from './service-account/controller.ts';

export interface ControllerOptions {
  readonly clock: Clock;
  /** PEM text to publish in every namespace; undefined publishes none. */
  readonly rootCa?: string | undefined;
  /** Network that nodes get their pod networks from; undefined gives none. */
  readonly clusterCidr?: string | undefined;
  /** Prefix length of a node's pod network; default 24. */
  readonly nodeCidrBits?: number | undefined;
  /** Addresses for Services of type LoadBalancer; undefined gives none. */
  readonly loadBalancerCidr?: string | undefined;
  readonly nodeTimings?: NodeLifecycleOptions | undefined;
  readonly metrics?: Metrics | undefined;
  /** What signs certificates; undefined signs none. */
  readonly signing?: SigningOptions | undefined;
}

/** Every loop that is declared as a controller. @param contents what a namespace holds. */
export function buildControllers(options: ControllerOptions, contents: readonly KindDefinition[]): readonly ControllerDefinition[] {
  const { clock, rootCa, clusterCidr, nodeCidrBits = 24, loadBalancerCidr, nodeTimings = upstreamTimings, signing, metrics } = options;
  return [
    namespaceController(contents),
    resourceQuotaController(contents),
    serviceAccountController,
    roleAggregationController(),
    requestApprovingController(),
    ...(signing === undefined ? [] : [requestSigningController(signing)]),
    requestCleanerController(),
    bootstrapSignerController(),
    tokenCleanerController(),
    ...(rootCa === undefined ? [] : [rootCaController(rootCa)]),
    replicationControllerController(clock),
    replicaSetController(clock),
    deploymentController(),
    disruptionController(),
    staleTargetController(),
    endpointSliceController(clock),
    endpointSliceMirroringController(clock),
    endpointsController(),
    serviceCidrController(),
    claimProtectionController(),
    volumeProtectionController(),
    classProtectionController(),
    nodeLifecycleController(nodeTimings, metrics && nodeMetrics(metrics)),
    taintEvictionController(),
    secretTtlController(),
    ...(clusterCidr === undefined ? [] : [nodeIpamController(clusterCidr, nodeCidrBits)]),
    ...(loadBalancerCidr === undefined ? [] : [loadBalancerController({ pool: poolOf(loadBalancerCidr) })]),
  ];
}

function poolOf(cidr: string): () => Pool {
  const pool = { ranges: [parseRange(cidr)] };
  return () => pool;
}

/** Under which name a controller records events, where upstream's is not the controller's own. */
export const eventSources: Readonly<Record<string, string>> = {
  'disruption-controller': 'controllermanager',
  'replicationcontroller-controller': 'replication-controller',
  'endpointslice-controller': 'endpoint-slice-controller',
  'endpointslice-mirroring-controller': 'endpoint-slice-mirroring-controller',
  'endpoints-controller': 'endpoint-controller',
  'node-lifecycle-controller': 'node-controller',
  'node-ipam-controller': 'cidrAllocator',
  'service-lb-controller': 'service-controller',
};
