// data: how apply and strategic merge see each list, and which structs and maps they treat as one value.
// One entry for each distinct rule; below it, by package, the properties as Kind.property.
import type { ListRules } from './schema.ts';

interface ListFact {
  readonly rules: ListRules;
  /** Package -> `Kind.property` words. */
  readonly of: Readonly<Record<string, string>>;
}

export const listFacts: readonly ListFact[] = [
  {
    rules: { listType: 'atomic' },
    of: {
      'io.k8s.api.admissionregistration.v1': `
        MatchResources.excludeResourceRules MatchResources.resourceRules MutatingAdmissionPolicySpec.mutations
        MutatingAdmissionPolicySpec.variables MutatingWebhook.admissionReviewVersions MutatingWebhook.rules
        NamedRuleWithOperations.apiGroups NamedRuleWithOperations.apiVersions NamedRuleWithOperations.operations
        NamedRuleWithOperations.resourceNames NamedRuleWithOperations.resources RuleWithOperations.apiGroups
        RuleWithOperations.apiVersions RuleWithOperations.operations RuleWithOperations.resources TypeChecking.expressionWarnings
        ValidatingAdmissionPolicySpec.auditAnnotations ValidatingAdmissionPolicySpec.validations
        ValidatingWebhook.admissionReviewVersions ValidatingWebhook.rules`,
      'io.k8s.api.admissionregistration.v1alpha1': `
        MatchResources.excludeResourceRules MatchResources.resourceRules MutatingAdmissionPolicySpec.mutations
        MutatingAdmissionPolicySpec.variables NamedRuleWithOperations.apiGroups NamedRuleWithOperations.apiVersions
        NamedRuleWithOperations.operations NamedRuleWithOperations.resourceNames NamedRuleWithOperations.resources`,
      'io.k8s.api.admissionregistration.v1beta1': `
        MatchResources.excludeResourceRules MatchResources.resourceRules MutatingAdmissionPolicySpec.mutations
        MutatingAdmissionPolicySpec.variables NamedRuleWithOperations.apiGroups NamedRuleWithOperations.apiVersions
        NamedRuleWithOperations.operations NamedRuleWithOperations.resourceNames NamedRuleWithOperations.resources`,
      'io.k8s.api.apps.v1': 'StatefulSetSpec.volumeClaimTemplates',
      'io.k8s.api.authentication.v1': `
        TokenRequestSpec.audiences TokenReviewSpec.audiences TokenReviewStatus.audiences UserInfo.groups`,
      'io.k8s.api.authorization.v1': `
        FieldSelectorAttributes.requirements LabelSelectorAttributes.requirements NonResourceRule.nonResourceURLs
        NonResourceRule.verbs ResourceRule.apiGroups ResourceRule.resourceNames ResourceRule.resources ResourceRule.verbs
        SubjectAccessReviewSpec.groups SubjectRulesReviewStatus.nonResourceRules SubjectRulesReviewStatus.resourceRules`,
      'io.k8s.api.autoscaling.v2': `
        HPAScalingRules.policies HorizontalPodAutoscalerSpec.metrics HorizontalPodAutoscalerStatus.currentMetrics`,
      'io.k8s.api.batch.v1': `
        CronJobStatus.active PodFailurePolicy.rules PodFailurePolicyRule.onPodConditions SuccessPolicy.rules`,
      'io.k8s.api.certificates.v1': 'CertificateSigningRequestSpec.groups CertificateSigningRequestSpec.usages',
      'io.k8s.api.core.v1': `
        Capabilities.add Capabilities.drop CephFSPersistentVolumeSource.monitors CephFSVolumeSource.monitors
        ConfigMapProjection.items ConfigMapVolumeSource.items Container.args Container.command Container.envFrom
        Container.resizePolicy Container.restartPolicyRules ContainerImage.names DownwardAPIProjection.items
        DownwardAPIVolumeSource.items EndpointSubset.addresses EndpointSubset.notReadyAddresses EndpointSubset.ports
        Endpoints.subsets EphemeralContainer.args EphemeralContainer.command EphemeralContainer.envFrom
        EphemeralContainer.resizePolicy EphemeralContainer.restartPolicyRules ExecAction.command FCVolumeSource.targetWWNs
        FCVolumeSource.wwids HTTPGetAction.httpHeaders HostAlias.hostnames ISCSIPersistentVolumeSource.portals
        ISCSIVolumeSource.portals LimitRangeSpec.limits LinuxContainerUser.supplementalGroups LoadBalancerIngress.ports
        LoadBalancerStatus.ingress NamespaceSpec.finalizers NodeAffinity.preferredDuringSchedulingIgnoredDuringExecution
        NodeSelector.nodeSelectorTerms NodeSelectorRequirement.values NodeSelectorTerm.matchExpressions NodeSelectorTerm.matchFields
        NodeSpec.taints NodeStatus.declaredFeatures NodeStatus.images NodeStatus.runtimeHandlers NodeStatus.volumesAttached
        NodeStatus.volumesInUse PersistentVolumeClaimSpec.accessModes PersistentVolumeClaimStatus.accessModes
        PersistentVolumeSpec.accessModes PersistentVolumeSpec.mountOptions
        PodAffinity.preferredDuringSchedulingIgnoredDuringExecution PodAffinity.requiredDuringSchedulingIgnoredDuringExecution
        PodAffinityTerm.matchLabelKeys PodAffinityTerm.mismatchLabelKeys PodAffinityTerm.namespaces
        PodAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution
        PodAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution PodDNSConfig.nameservers PodDNSConfig.options
        PodDNSConfig.searches PodExtendedResourceClaimStatus.requestMappings PodSecurityContext.supplementalGroups
        PodSecurityContext.sysctls PodSpec.readinessGates PodSpec.tolerations PodStatus.containerStatuses
        PodStatus.ephemeralContainerStatuses PodStatus.initContainerStatuses PodStatus.nodeAllocatableResourceClaimStatuses
        ProjectedVolumeSource.sources RBDPersistentVolumeSource.monitors RBDVolumeSource.monitors ResourceQuotaSpec.scopes
        ScopeSelector.matchExpressions ScopedResourceSelectorRequirement.values SecretProjection.items SecretVolumeSource.items
        ServiceAccount.imagePullSecrets ServiceSpec.clusterIPs ServiceSpec.externalIPs ServiceSpec.ipFamilies
        ServiceSpec.loadBalancerSourceRanges TopologySelectorLabelRequirement.values TopologySelectorTerm.matchLabelExpressions
        TopologySpreadConstraint.matchLabelKeys`,
      'io.k8s.api.discovery.v1': 'EndpointHints.forNodes EndpointHints.forZones EndpointSlice.endpoints EndpointSlice.ports',
      'io.k8s.api.flowcontrol.v1': `
        FlowSchemaSpec.rules PolicyRulesWithSubjects.nonResourceRules PolicyRulesWithSubjects.resourceRules
        PolicyRulesWithSubjects.subjects`,
      'io.k8s.api.networking.v1': `
        HTTPIngressRuleValue.paths IPBlock.except IngressLoadBalancerIngress.ports IngressLoadBalancerStatus.ingress
        IngressSpec.rules IngressSpec.tls IngressTLS.hosts NetworkPolicyEgressRule.ports NetworkPolicyEgressRule.to
        NetworkPolicyIngressRule.from NetworkPolicyIngressRule.ports NetworkPolicySpec.egress NetworkPolicySpec.ingress
        NetworkPolicySpec.policyTypes ServiceCIDRSpec.cidrs`,
      'io.k8s.api.networking.v1beta1': 'ServiceCIDRSpec.cidrs',
      'io.k8s.api.node.v1': 'Scheduling.tolerations',
      'io.k8s.api.rbac.v1': `
        AggregationRule.clusterRoleSelectors ClusterRole.rules ClusterRoleBinding.subjects PolicyRule.apiGroups
        PolicyRule.nonResourceURLs PolicyRule.resourceNames PolicyRule.resources PolicyRule.verbs Role.rules RoleBinding.subjects`,
      'io.k8s.api.resource.v1': `
        CapacityRequestPolicy.validValues Device.bindingConditions Device.bindingFailureConditions Device.consumesCounters
        Device.taints DeviceAllocationConfiguration.requests DeviceAllocationResult.config DeviceAllocationResult.results
        DeviceAttribute.bools DeviceAttribute.ints DeviceAttribute.strings DeviceAttribute.versions DeviceClaim.config
        DeviceClaim.constraints DeviceClaim.requests DeviceClaimConfiguration.requests DeviceClassSpec.config
        DeviceClassSpec.selectors DeviceConstraint.requests DeviceRequest.firstAvailable
        DeviceRequestAllocationResult.bindingConditions DeviceRequestAllocationResult.bindingFailureConditions
        DeviceRequestAllocationResult.tolerations DeviceSubRequest.selectors DeviceSubRequest.tolerations
        ExactDeviceRequest.selectors ExactDeviceRequest.tolerations NetworkDeviceData.ips ResourceSliceSpec.devices
        ResourceSliceSpec.sharedCounters`,
      'io.k8s.api.resource.v1alpha3': 'ResourcePoolStatusRequestStatus.pools',
      'io.k8s.api.resource.v1beta1': `
        BasicDevice.bindingConditions BasicDevice.bindingFailureConditions BasicDevice.consumesCounters BasicDevice.taints
        CapacityRequestPolicy.validValues DeviceAllocationConfiguration.requests DeviceAllocationResult.config
        DeviceAllocationResult.results DeviceAttribute.bools DeviceAttribute.ints DeviceAttribute.strings DeviceAttribute.versions
        DeviceClaim.config DeviceClaim.constraints DeviceClaim.requests DeviceClaimConfiguration.requests DeviceClassSpec.config
        DeviceClassSpec.selectors DeviceConstraint.requests DeviceRequest.firstAvailable DeviceRequest.selectors
        DeviceRequest.tolerations DeviceRequestAllocationResult.bindingConditions
        DeviceRequestAllocationResult.bindingFailureConditions DeviceRequestAllocationResult.tolerations DeviceSubRequest.selectors
        DeviceSubRequest.tolerations NetworkDeviceData.ips ResourceSliceSpec.devices ResourceSliceSpec.sharedCounters`,
      'io.k8s.api.resource.v1beta2': `
        CapacityRequestPolicy.validValues Device.bindingConditions Device.bindingFailureConditions Device.consumesCounters
        Device.taints DeviceAllocationConfiguration.requests DeviceAllocationResult.config DeviceAllocationResult.results
        DeviceAttribute.bools DeviceAttribute.ints DeviceAttribute.strings DeviceAttribute.versions DeviceClaim.config
        DeviceClaim.constraints DeviceClaim.requests DeviceClaimConfiguration.requests DeviceClassSpec.config
        DeviceClassSpec.selectors DeviceConstraint.requests DeviceRequest.firstAvailable
        DeviceRequestAllocationResult.bindingConditions DeviceRequestAllocationResult.bindingFailureConditions
        DeviceRequestAllocationResult.tolerations DeviceSubRequest.selectors DeviceSubRequest.tolerations
        ExactDeviceRequest.selectors ExactDeviceRequest.tolerations NetworkDeviceData.ips ResourceSliceSpec.devices
        ResourceSliceSpec.sharedCounters`,
      'io.k8s.api.scheduling.v1alpha2': 'PodGroupSchedulingConstraints.topology',
      'io.k8s.api.storage.v1': `
        CSIDriverSpec.tokenRequests CSINodeDriver.topologyKeys StorageClass.allowedTopologies StorageClass.mountOptions`,
      'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1': `
        CustomResourceDefinitionNames.categories CustomResourceDefinitionNames.shortNames CustomResourceDefinitionSpec.versions
        CustomResourceDefinitionStatus.storedVersions CustomResourceDefinitionVersion.additionalPrinterColumns
        CustomResourceDefinitionVersion.selectableFields JSONSchemaProps.allOf JSONSchemaProps.anyOf JSONSchemaProps.enum
        JSONSchemaProps.oneOf JSONSchemaProps.required JSONSchemaProps.x-kubernetes-list-map-keys
        WebhookConversion.conversionReviewVersions`,
      'io.k8s.apimachinery.pkg.apis.meta.v1': `
        APIGroup.serverAddressByClientCIDRs APIGroup.versions APIGroupList.groups APIResource.categories APIResource.shortNames
        APIResourceList.resources APIVersions.serverAddressByClientCIDRs APIVersions.versions DeleteOptions.dryRun
        FieldSelectorRequirement.values LabelSelector.matchExpressions LabelSelectorRequirement.values ObjectMeta.managedFields
        StatusDetails.causes`,
      'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1': 'APIServiceSpec.caBundle',
    },
  },
  {
    rules: { listType: 'map', mapKeys: ['name'], patchMergeKey: 'name', patchStrategy: 'merge' },
    of: {
      'io.k8s.api.admissionregistration.v1': `
        MutatingAdmissionPolicySpec.matchConditions MutatingWebhook.matchConditions MutatingWebhookConfiguration.webhooks
        ValidatingAdmissionPolicySpec.matchConditions ValidatingAdmissionPolicySpec.variables ValidatingWebhook.matchConditions
        ValidatingWebhookConfiguration.webhooks`,
      'io.k8s.api.admissionregistration.v1alpha1': 'MutatingAdmissionPolicySpec.matchConditions',
      'io.k8s.api.admissionregistration.v1beta1': 'MutatingAdmissionPolicySpec.matchConditions',
      'io.k8s.api.core.v1': `
        Container.env ContainerStatus.allocatedResourcesStatus EphemeralContainer.env PodSpec.containers PodSpec.ephemeralContainers
        PodSpec.imagePullSecrets PodSpec.initContainers PodSpec.schedulingGates ServiceAccount.secrets`,
      'io.k8s.api.storage.v1': 'CSINodeSpec.drivers',
    },
  },
  {
    rules: { listType: 'set' },
    of: {
      'io.k8s.api.admissionregistration.v1': 'ValidatingAdmissionPolicyBindingSpec.validationActions',
      'io.k8s.api.apiserverinternal.v1alpha1': 'ServerStorageVersion.decodableVersions ServerStorageVersion.servedVersions',
      'io.k8s.api.batch.v1': `
        PodFailurePolicyOnExitCodesRequirement.values UncountedTerminatedPods.failed UncountedTerminatedPods.succeeded`,
      'io.k8s.api.core.v1': 'ContainerRestartRuleOnExitCodes.values NodeAllocatableResourceClaimStatus.containers',
      'io.k8s.api.discovery.v1': 'Endpoint.addresses',
      'io.k8s.api.flowcontrol.v1': `
        NonResourcePolicyRule.nonResourceURLs NonResourcePolicyRule.verbs ResourcePolicyRule.apiGroups ResourcePolicyRule.namespaces
        ResourcePolicyRule.resources ResourcePolicyRule.verbs`,
      'io.k8s.api.storage.v1': 'CSIDriverSpec.volumeLifecycleModes',
    },
  },
  {
    rules: { listType: 'map', mapKeys: ['type'] },
    of: {
      'io.k8s.api.admissionregistration.v1': 'ValidatingAdmissionPolicyStatus.conditions',
      'io.k8s.api.apiserverinternal.v1alpha1': 'StorageVersionStatus.conditions',
      'io.k8s.api.certificates.v1': 'CertificateSigningRequestStatus.conditions',
      'io.k8s.api.resource.v1': 'AllocatedDeviceStatus.conditions',
      'io.k8s.api.resource.v1beta1': 'AllocatedDeviceStatus.conditions',
      'io.k8s.api.resource.v1beta2': 'AllocatedDeviceStatus.conditions',
      'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1': 'CustomResourceDefinitionStatus.conditions',
    },
  },
  {
    rules: { listType: 'map', mapKeys: ['apiServerID'] },
    of: {
      'io.k8s.api.apiserverinternal.v1alpha1': 'StorageVersionStatus.storageVersions',
    },
  },
  {
    rules: { listType: 'map', mapKeys: ['type'], patchMergeKey: 'type', patchStrategy: 'merge' },
    of: {
      'io.k8s.api.apps.v1': `
        DaemonSetStatus.conditions DeploymentStatus.conditions ReplicaSetStatus.conditions StatefulSetStatus.conditions`,
      'io.k8s.api.autoscaling.v2': 'HorizontalPodAutoscalerStatus.conditions',
      'io.k8s.api.certificates.v1beta1': 'PodCertificateRequestStatus.conditions',
      'io.k8s.api.core.v1': `
        ComponentStatus.conditions NamespaceStatus.conditions NodeStatus.addresses NodeStatus.conditions
        PersistentVolumeClaimStatus.conditions PodStatus.conditions ReplicationControllerStatus.conditions ServiceStatus.conditions`,
      'io.k8s.api.flowcontrol.v1': 'FlowSchemaStatus.conditions PriorityLevelConfigurationStatus.conditions',
      'io.k8s.api.networking.v1': 'ServiceCIDRStatus.conditions',
      'io.k8s.api.networking.v1beta1': 'ServiceCIDRStatus.conditions',
      'io.k8s.api.policy.v1': 'PodDisruptionBudgetStatus.conditions',
      'io.k8s.api.resource.v1alpha3': 'DeviceTaintRuleStatus.conditions ResourcePoolStatusRequestStatus.conditions',
      'io.k8s.api.resource.v1beta2': 'DeviceTaintRuleStatus.conditions',
      'io.k8s.api.scheduling.v1alpha2': 'PodGroupStatus.conditions',
      'io.k8s.api.storagemigration.v1beta1': 'StorageVersionMigrationStatus.conditions',
      'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1': 'APIServiceStatus.conditions',
    },
  },
  {
    rules: { patchStrategy: 'retainKeys' },
    of: {
      'io.k8s.api.apps.v1': 'DeploymentSpec.strategy',
    },
  },
  {
    rules: { listType: 'atomic', patchMergeKey: 'type', patchStrategy: 'merge' },
    of: {
      'io.k8s.api.batch.v1': 'JobStatus.conditions',
    },
  },
  {
    rules: { listType: 'map', mapKeys: ['containerPort', 'protocol'], patchMergeKey: 'containerPort', patchStrategy: 'merge' },
    of: {
      'io.k8s.api.core.v1': 'Container.ports EphemeralContainer.ports',
    },
  },
  {
    rules: { listType: 'map', mapKeys: ['devicePath'], patchMergeKey: 'devicePath', patchStrategy: 'merge' },
    of: {
      'io.k8s.api.core.v1': 'Container.volumeDevices EphemeralContainer.volumeDevices',
    },
  },
  {
    rules: { listType: 'map', mapKeys: ['mountPath'], patchMergeKey: 'mountPath', patchStrategy: 'merge' },
    of: {
      'io.k8s.api.core.v1': 'Container.volumeMounts ContainerStatus.volumeMounts EphemeralContainer.volumeMounts',
    },
  },
  {
    rules: { listType: 'set', patchStrategy: 'merge' },
    of: {
      'io.k8s.api.core.v1': 'NodeSpec.podCIDRs',
      'io.k8s.apimachinery.pkg.apis.meta.v1': 'ObjectMeta.finalizers',
    },
  },
  {
    rules: { listType: 'map', mapKeys: ['ip'], patchMergeKey: 'ip', patchStrategy: 'merge' },
    of: {
      'io.k8s.api.core.v1': 'PodSpec.hostAliases PodStatus.podIPs',
    },
  },
  {
    rules: { listType: 'map', mapKeys: ['name'], patchMergeKey: 'name', patchStrategy: 'merge,retainKeys' },
    of: {
      'io.k8s.api.core.v1': 'PodSpec.resourceClaims PodSpec.volumes PodStatus.resourceClaimStatuses',
      'io.k8s.api.scheduling.v1alpha2': `
        PodGroupSpec.resourceClaims PodGroupStatus.resourceClaimStatuses PodGroupTemplate.resourceClaims`,
    },
  },
  {
    rules: { listType: 'map', mapKeys: ['topologyKey', 'whenUnsatisfiable'], patchMergeKey: 'topologyKey', patchStrategy: 'merge' },
    of: {
      'io.k8s.api.core.v1': 'PodSpec.topologySpreadConstraints',
    },
  },
  {
    rules: { listType: 'atomic', patchMergeKey: 'ip', patchStrategy: 'merge' },
    of: {
      'io.k8s.api.core.v1': 'PodStatus.hostIPs',
    },
  },
  {
    rules: { listType: 'map', mapKeys: ['name'] },
    of: {
      'io.k8s.api.core.v1': 'ResourceRequirements.claims',
      'io.k8s.api.scheduling.v1alpha2': 'WorkloadSpec.podGroupTemplates',
    },
  },
  {
    rules: { listType: 'map', mapKeys: ['resourceID'] },
    of: {
      'io.k8s.api.core.v1': 'ResourceStatus.resources',
    },
  },
  {
    rules: { listType: 'map', mapKeys: ['port', 'protocol'], patchMergeKey: 'port', patchStrategy: 'merge' },
    of: {
      'io.k8s.api.core.v1': 'ServiceSpec.ports',
    },
  },
  {
    rules: { patchStrategy: 'replace' },
    of: {
      'io.k8s.api.policy.v1': 'PodDisruptionBudgetSpec.selector',
    },
  },
  {
    rules: { listType: 'map', mapKeys: ['driver', 'device', 'pool', 'shareID'] },
    of: {
      'io.k8s.api.resource.v1': 'ResourceClaimStatus.devices',
      'io.k8s.api.resource.v1beta1': 'ResourceClaimStatus.devices',
      'io.k8s.api.resource.v1beta2': 'ResourceClaimStatus.devices',
    },
  },
  {
    rules: { listType: 'map', mapKeys: ['uid'], patchMergeKey: 'uid', patchStrategy: 'merge' },
    of: {
      'io.k8s.api.resource.v1': 'ResourceClaimStatus.reservedFor',
      'io.k8s.api.resource.v1beta1': 'ResourceClaimStatus.reservedFor',
      'io.k8s.api.resource.v1beta2': 'ResourceClaimStatus.reservedFor',
      'io.k8s.apimachinery.pkg.apis.meta.v1': 'ObjectMeta.ownerReferences',
    },
  },
  {
    rules: { listType: 'map', mapKeys: ['rule'], patchMergeKey: 'rule', patchStrategy: 'merge' },
    of: {
      'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1': 'JSONSchemaProps.x-kubernetes-validations',
    },
  },
];

/** Structs that apply owns as a whole (x-kubernetes-map-type: atomic), by package. */
export const atomicStructs: Readonly<Record<string, string>> = {
  'io.k8s.api.admissionregistration.v1': 'MatchResources NamedRuleWithOperations ParamKind ParamRef Variable',
  'io.k8s.api.admissionregistration.v1alpha1': 'MatchResources NamedRuleWithOperations ParamKind ParamRef',
  'io.k8s.api.admissionregistration.v1beta1': 'MatchResources NamedRuleWithOperations ParamKind ParamRef Variable',
  'io.k8s.api.autoscaling.v1': 'CrossVersionObjectReference',
  'io.k8s.api.core.v1': `
    ConfigMapKeySelector EndpointAddress EndpointPort FileKeySelector LocalObjectReference NodeSelector NodeSelectorTerm
    ObjectFieldSelector ObjectReference ResourceFieldSelector ScopeSelector SecretKeySelector SecretReference TopologySelectorTerm
    TypedLocalObjectReference`,
  'io.k8s.api.discovery.v1': 'EndpointPort',
  'io.k8s.api.networking.v1': 'ServiceBackendPort',
  'io.k8s.api.rbac.v1': 'RoleRef Subject',
  'io.k8s.apimachinery.pkg.apis.meta.v1': 'LabelSelector OwnerReference',
};

/** Properties whose own place says how apply owns the value, where that differs from the type. */
export const mapTypeFacts: Readonly<Record<'atomic' | 'granular', Readonly<Record<string, string>>>> = {
  atomic: {
    'io.k8s.api.core.v1': 'PodSpec.nodeSelector ReplicationControllerSpec.selector ServiceSpec.selector',
    'io.k8s.api.node.v1': 'Scheduling.nodeSelector',
  },
  granular: { 'io.k8s.api.core.v1': 'PersistentVolumeClaimStatus.allocatedResourceStatuses PersistentVolumeSpec.claimRef' },
};
