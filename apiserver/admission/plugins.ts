// The plugins of the admission chain, in upstream's order (pkg/kubeapiserver/options/plugins.go): all of them mutate, then all of them
// validate, each time in this order.
import type { Clock } from '#base/clock.ts';
import { UsageError } from '#base/lifecycle.ts';
import type { Authorizer } from '../authz/contract.ts';
import type { AdmissionPlugin, Registry } from '../registry/contract.ts';
import { alwaysAdmit, alwaysDeny } from './always.ts';
import { alwaysPullImages } from './always-pull-images.ts';
import { certificateApproval } from './certificate-approval.ts';
import { certificateSigning } from './certificate-signing.ts';
import { certificateSubjectRestriction } from './certificate-subject-restriction.ts';
import { persistentVolumeClaimResize } from './claim-resize.ts';
import type { PluginSettings } from './configuration/settings.ts';
import { defaultIngressClass, defaultStorageClass } from './default-class.ts';
import { defaultTolerationSeconds } from './default-toleration-seconds.ts';
import { denyServiceExternalIps } from './deny-service-external-ips.ts';
import { eventRateLimit } from './event-rate-limit/plugin.ts';
import { extendedResourceToleration } from './extended-resource-toleration.ts';
import { limitPodHardAntiAffinityTopology } from './limit-anti-affinity.ts';
import { limitRanger } from './limit-ranger/plugin.ts';
import { namespaceLifecycle } from './namespace-lifecycle.ts';
import { namespaceAutoProvision, namespaceExists } from './namespace-presence.ts';
import { ownerReferencesPermissionEnforcement } from './owner-references.ts';
import { nodeRestriction } from './node-restriction/plugin.ts';
import { podNodeSelector } from './pod-node-selector.ts';
import { podResizeValidator } from './pod-resize-validator.ts';
import { podSecurity } from './pod-security/plugin.ts';
import { podTolerationRestriction } from './pod-toleration-restriction.ts';
import { podTopologyLabels } from './pod-topology-labels.ts';
import { priority } from './priority.ts';
import { resourceQuotaPlugin } from './resource-quota/plugin.ts';
import { runtimeClassPlugin } from './runtime-class.ts';
import { serviceAccountPlugin } from './service-account.ts';
import { storageObjectInUseProtection } from './storage-object-in-use-protection.ts';
import { taintNodesByCondition } from './taint-nodes-by-condition.ts';

interface AdmissionDeps {
  readonly registry: () => Registry;
  readonly clock: Clock;
  readonly authorizer: Authorizer;
  readonly settings: PluginSettings;
}

/**
 * `make` builds the plugin. Without it: `idle` ones may be named, but what they concern is not served, so there is nothing to do;
 * `missing` ones would have to do something that is not there yet, and are refused.
 */
interface Entry {
  readonly isOn: boolean;
  readonly make: 'idle' | 'missing' | ((deps: AdmissionDeps) => AdmissionPlugin);
}

const on = (make: Entry['make']): Entry => ({ isOn: true, make });
const off = (make: Entry['make']): Entry => ({ isOn: false, make });

const entries = {
  AlwaysAdmit: off(() => alwaysAdmit),
  NamespaceAutoProvision: off(({ registry }) => namespaceAutoProvision(registry)),
  NamespaceLifecycle: on(({ registry }) => namespaceLifecycle(registry)),
  NamespaceExists: off(({ registry }) => namespaceExists(registry)),
  LimitPodHardAntiAffinityTopology: off(() => limitPodHardAntiAffinityTopology),
  LimitRanger: on(({ registry }) => limitRanger(registry)),
  ServiceAccount: on(serviceAccountPlugin),
  NodeRestriction: off(nodeRestriction),
  TaintNodesByCondition: on(() => taintNodesByCondition),
  AlwaysPullImages: off(() => alwaysPullImages),
  ImagePolicyWebhook: off('missing'),
  PodSecurity: on(({ registry, clock, settings }) => podSecurity({ registry, clock, settings: settings.podSecurity })),
  PodNodeSelector: off(({ registry, settings }) => podNodeSelector(registry, settings.nodeSelectors)),
  Priority: on(({ registry }) => priority(registry)),
  DefaultTolerationSeconds: on(({ settings }) => defaultTolerationSeconds(settings.tolerationSeconds)),
  PodTolerationRestriction: off(({ registry, settings }) => podTolerationRestriction(registry, settings.tolerations)),
  EventRateLimit: off(({ clock, settings }) => eventRateLimit(settings.eventLimits, clock)),
  ExtendedResourceToleration: off(() => extendedResourceToleration),
  DefaultStorageClass: on(({ registry }) => defaultStorageClass(registry)),
  StorageObjectInUseProtection: on(() => storageObjectInUseProtection),
  PodGroupProtection: on('idle'),
  OwnerReferencesPermissionEnforcement: off(ownerReferencesPermissionEnforcement),
  PersistentVolumeClaimResize: on(({ registry }) => persistentVolumeClaimResize(registry)),
  RuntimeClass: on(({ registry }) => runtimeClassPlugin(registry)),
  CertificateApproval: on(({ authorizer }) => certificateApproval(authorizer)),
  CertificateSigning: on(({ authorizer }) => certificateSigning(authorizer)),
  ClusterTrustBundleAttest: on('idle'),
  CertificateSubjectRestriction: on(() => certificateSubjectRestriction),
  DefaultIngressClass: on(({ registry }) => defaultIngressClass(registry)),
  DenyServiceExternalIPs: off(() => denyServiceExternalIps),
  PodTopologyLabels: on(({ registry }) => podTopologyLabels(registry)),
  PodGroupWorkloadExists: on('idle'),
  NodeDeclaredFeatureValidator: on('idle'),
  JobValidation: on('idle'),
  PodResizeValidator: on(({ registry }) => podResizeValidator(registry)),
  // Webhooks, quotas and what denies come last: whatever else changes or refuses an object has done so.
  MutatingAdmissionPolicy: on('idle'),
  MutatingAdmissionWebhook: on('idle'),
  ValidatingAdmissionPolicy: on('idle'),
  ValidatingAdmissionWebhook: on('idle'),
  ResourceQuota: on(({ registry, clock, settings }) => resourceQuotaPlugin({ registry, clock, limited: settings.limitedResources })),
  AlwaysDeny: off(() => alwaysDeny),
} as const satisfies Readonly<Record<string, Entry>>;

export type AdmissionPluginName = keyof typeof entries;

/** The plugins that run unless the command line says otherwise. */
export const defaultPlugins: readonly AdmissionPluginName[] = names().filter((name) => entries[name].isOn);

/** The plugins that two flags leave on. Throws UsageError for what is unknown, contradictory or not there. */
export function choosePlugins(enabled: readonly string[], disabled: readonly string[]): AdmissionPluginName[] {
  for (const name of enabled) checkKnown('enable-admission-plugins', name);
  for (const name of disabled) checkKnown('disable-admission-plugins', name);
  const both = enabled.filter((name) => disabled.includes(name));
  if (both.length > 0) {
    throw new UsageError(`[${[...new Set(both)].sort().join(' ')}] in enable-admission-plugins and disable-admission-plugins overlapped`);
  }
  const missing = enabled.find((name) => (entries as Readonly<Record<string, Entry>>)[name]?.make === 'missing');
  if (missing !== undefined) throw new UsageError(`enable-admission-plugins plugin ${JSON.stringify(missing)} is not supported yet`);
  return names().filter((name) => enabled.includes(name) || (entries[name].isOn && !disabled.includes(name)));
}

/** Builds those plugins, in the chain's order whatever theirs. */
export function makePlugins(chosen: readonly AdmissionPluginName[], deps: AdmissionDeps): AdmissionPlugin[] {
  return names().flatMap((name) => {
    const { make }: Entry = entries[name];
    return chosen.includes(name) && typeof make === 'function' ? [make(deps)] : [];
  });
}

function names(): AdmissionPluginName[] {
  return Object.keys(entries) as AdmissionPluginName[];
}

/** Whether the chain has a plugin of that name, be it on or off. */
export function isPluginName(name: string): name is AdmissionPluginName {
  return Object.hasOwn(entries, name);
}

function checkKnown(flag: string, name: string): void {
  if (!isPluginName(name)) throw new UsageError(`${flag} plugin ${JSON.stringify(name)} is unknown`);
}
