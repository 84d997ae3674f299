// data: how upstream's Go types hold each property, as far as it shows on the wire: what is left out when empty, and what is always
// there. Package -> `Kind.property` words, as in the other tables.
//
// Without an entry: required properties are always there; optional strings, bytes, lists and maps are left out when empty;
// optional numbers, booleans, quantities, times and structs are pointers, so they stay exactly as sent.
type Words = Readonly<Record<string, string>>;

/** Optional strings behind a pointer: an empty one stays. */
export const pointerStrings: Words = {
  'io.k8s.api.admissionregistration.v1': `
    MatchResources.matchPolicy MutatingAdmissionPolicySpec.failurePolicy MutatingWebhook.failurePolicy MutatingWebhook.matchPolicy
    MutatingWebhook.reinvocationPolicy NamedRuleWithOperations.scope ParamRef.parameterNotFoundAction RuleWithOperations.scope
    ServiceReference.path ValidatingAdmissionPolicySpec.failurePolicy ValidatingWebhook.failurePolicy ValidatingWebhook.matchPolicy
    Validation.reason WebhookClientConfig.url`,
  'io.k8s.api.admissionregistration.v1alpha1': `
    MatchResources.matchPolicy MutatingAdmissionPolicySpec.failurePolicy NamedRuleWithOperations.scope ParamRef.parameterNotFoundAction`,
  'io.k8s.api.admissionregistration.v1beta1': `
    MatchResources.matchPolicy MutatingAdmissionPolicySpec.failurePolicy NamedRuleWithOperations.scope ParamRef.parameterNotFoundAction`,
  'io.k8s.api.apiserverinternal.v1alpha1': 'StorageVersionStatus.commonEncodingVersion',
  'io.k8s.api.autoscaling.v2': 'HPAScalingRules.selectPolicy',
  'io.k8s.api.batch.v1': `
    CronJobSpec.timeZone JobSpec.completionMode JobSpec.managedBy JobSpec.podReplacementPolicy JobStatus.failedIndexes
    PodFailurePolicyOnExitCodesRequirement.containerName SuccessPolicyRule.succeededIndexes`,
  'io.k8s.api.coordination.v1': 'LeaseSpec.holderIdentity LeaseSpec.preferredHolder LeaseSpec.strategy',
  'io.k8s.api.core.v1': `
    AppArmorProfile.localhostProfile AzureDiskVolumeSource.cachingMode AzureDiskVolumeSource.fsType
    AzureFilePersistentVolumeSource.secretNamespace CSIVolumeSource.fsType ClusterTrustBundleProjection.name
    ClusterTrustBundleProjection.signerName Container.restartPolicy ContainerStatus.stopSignal EndpointAddress.nodeName
    EndpointPort.appProtocol EphemeralContainer.restartPolicy GRPCAction.service GlusterfsPersistentVolumeSource.endpointsNamespace
    HostPathVolumeSource.type ISCSIPersistentVolumeSource.initiatorName ISCSIVolumeSource.initiatorName Lifecycle.stopSignal
    LoadBalancerIngress.ipMode LocalVolumeSource.fsType PersistentVolumeClaimSpec.storageClassName
    PersistentVolumeClaimSpec.volumeAttributesClassName PersistentVolumeClaimSpec.volumeMode
    PersistentVolumeClaimStatus.currentVolumeAttributesClassName PersistentVolumeSpec.volumeAttributesClassName
    PersistentVolumeSpec.volumeMode PodDNSConfigOption.value PodResourceClaim.resourceClaimName
    PodResourceClaim.resourceClaimTemplateName PodResourceClaimStatus.resourceClaimName PodSchedulingGroup.podGroupName
    PodSecurityContext.fsGroupChangePolicy PodSecurityContext.seLinuxChangePolicy PodSecurityContext.supplementalGroupsPolicy
    PodSpec.hostnameOverride PodSpec.preemptionPolicy PodSpec.runtimeClassName PortStatus.error ResourceHealth.message
    SeccompProfile.localhostProfile SecurityContext.procMount ServicePort.appProtocol ServiceSpec.internalTrafficPolicy
    ServiceSpec.ipFamilyPolicy ServiceSpec.loadBalancerClass ServiceSpec.trafficDistribution
    TopologySpreadConstraint.nodeAffinityPolicy TopologySpreadConstraint.nodeTaintsPolicy TypedLocalObjectReference.apiGroup
    TypedObjectReference.apiGroup TypedObjectReference.namespace VolumeMount.mountPropagation VolumeMount.recursiveReadOnly
    VolumeMountStatus.recursiveReadOnly WindowsSecurityContextOptions.gmsaCredentialSpec
    WindowsSecurityContextOptions.gmsaCredentialSpecName WindowsSecurityContextOptions.runAsUserName`,
  'io.k8s.api.discovery.v1': `
    Endpoint.hostname Endpoint.nodeName Endpoint.zone EndpointPort.appProtocol EndpointPort.name EndpointPort.protocol`,
  'io.k8s.api.networking.v1': `
    IngressClassParametersReference.apiGroup IngressClassParametersReference.namespace IngressClassParametersReference.scope
    IngressPortStatus.error IngressSpec.ingressClassName NetworkPolicyPort.protocol`,
  'io.k8s.api.policy.v1': 'PodDisruptionBudgetSpec.unhealthyPodEvictionPolicy',
  'io.k8s.api.resource.v1': `
    AllocatedDeviceStatus.shareID Device.nodeName DeviceAttribute.string DeviceAttribute.version DeviceClassSpec.extendedResourceName
    DeviceConstraint.distinctAttribute DeviceConstraint.matchAttribute DeviceRequestAllocationResult.shareID
    NodeAllocatableResourceMapping.capacityKey ResourceSliceSpec.nodeName`,
  'io.k8s.api.resource.v1alpha3': `
    DeviceTaintSelector.device DeviceTaintSelector.driver DeviceTaintSelector.pool PoolStatus.nodeName PoolStatus.validationError
    ResourcePoolStatusRequestSpec.poolName`,
  'io.k8s.api.resource.v1beta1': `
    AllocatedDeviceStatus.shareID BasicDevice.nodeName DeviceAttribute.string DeviceAttribute.version
    DeviceClassSpec.extendedResourceName DeviceConstraint.distinctAttribute DeviceConstraint.matchAttribute
    DeviceRequestAllocationResult.shareID NodeAllocatableResourceMapping.capacityKey`,
  'io.k8s.api.resource.v1beta2': `
    AllocatedDeviceStatus.shareID Device.nodeName DeviceAttribute.string DeviceAttribute.version DeviceClassSpec.extendedResourceName
    DeviceConstraint.distinctAttribute DeviceConstraint.matchAttribute DeviceRequestAllocationResult.shareID
    DeviceTaintSelector.device DeviceTaintSelector.driver DeviceTaintSelector.pool NodeAllocatableResourceMapping.capacityKey
    ResourceSliceSpec.nodeName`,
  'io.k8s.api.scheduling.v1': 'PriorityClass.preemptionPolicy',
  'io.k8s.api.scheduling.v1alpha2': `
    PodGroupResourceClaim.resourceClaimName PodGroupResourceClaim.resourceClaimTemplateName
    PodGroupResourceClaimStatus.resourceClaimName PodGroupSpec.disruptionMode PodGroupTemplate.disruptionMode`,
  'io.k8s.api.storage.v1': `
    CSIDriverSpec.fsGroupPolicy StorageClass.reclaimPolicy StorageClass.volumeBindingMode VolumeAttachmentSource.persistentVolumeName`,
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1': `
    CustomResourceDefinitionVersion.deprecationWarning CustomResourceSubresourceScale.labelSelectorPath JSONSchemaProps.$ref
    JSONSchemaProps.x-kubernetes-list-type JSONSchemaProps.x-kubernetes-map-type ServiceReference.path ValidationRule.reason
    WebhookClientConfig.url`,
  'io.k8s.apimachinery.pkg.apis.meta.v1': 'DeleteOptions.propagationPolicy Preconditions.resourceVersion Preconditions.uid',
};

/** Optional numbers and booleans held by value: zero and false are left out. */
export const valueScalars: Words = {
  'io.k8s.api.admissionregistration.v1': 'ValidatingAdmissionPolicyStatus.observedGeneration',
  'io.k8s.api.apiserverinternal.v1alpha1': 'StorageVersionCondition.observedGeneration',
  'io.k8s.api.apps.v1': `
    DaemonSetSpec.minReadySeconds DaemonSetStatus.numberAvailable DaemonSetStatus.numberUnavailable DaemonSetStatus.observedGeneration
    DaemonSetStatus.updatedNumberScheduled DeploymentSpec.minReadySeconds DeploymentSpec.paused DeploymentStatus.availableReplicas
    DeploymentStatus.observedGeneration DeploymentStatus.readyReplicas DeploymentStatus.replicas DeploymentStatus.unavailableReplicas
    DeploymentStatus.updatedReplicas ReplicaSetSpec.minReadySeconds ReplicaSetStatus.availableReplicas
    ReplicaSetStatus.fullyLabeledReplicas ReplicaSetStatus.observedGeneration ReplicaSetStatus.readyReplicas
    StatefulSetSpec.minReadySeconds StatefulSetStatus.currentReplicas StatefulSetStatus.observedGeneration
    StatefulSetStatus.readyReplicas StatefulSetStatus.updatedReplicas`,
  'io.k8s.api.authentication.v1': 'TokenReviewStatus.authenticated',
  'io.k8s.api.authorization.v1': 'SubjectAccessReviewStatus.denied',
  'io.k8s.api.autoscaling.v1': 'ScaleSpec.replicas',
  'io.k8s.api.autoscaling.v2': 'HorizontalPodAutoscalerStatus.currentReplicas',
  'io.k8s.api.batch.v1': 'JobStatus.active JobStatus.failed JobStatus.succeeded',
  'io.k8s.api.core.v1': `
    AWSElasticBlockStoreVolumeSource.partition AWSElasticBlockStoreVolumeSource.readOnly AzureFilePersistentVolumeSource.readOnly
    AzureFileVolumeSource.readOnly CSIPersistentVolumeSource.readOnly CephFSPersistentVolumeSource.readOnly
    CephFSVolumeSource.readOnly CinderPersistentVolumeSource.readOnly CinderVolumeSource.readOnly Container.stdin Container.stdinOnce
    Container.tty ContainerImage.sizeBytes ContainerPort.hostPort ContainerStateTerminated.signal EphemeralContainer.stdin
    EphemeralContainer.stdinOnce EphemeralContainer.tty Event.count EventSeries.count FCVolumeSource.readOnly
    FlexPersistentVolumeSource.readOnly FlexVolumeSource.readOnly GCEPersistentDiskVolumeSource.partition
    GCEPersistentDiskVolumeSource.readOnly GlusterfsPersistentVolumeSource.readOnly GlusterfsVolumeSource.readOnly
    ISCSIPersistentVolumeSource.chapAuthDiscovery ISCSIPersistentVolumeSource.chapAuthSession ISCSIPersistentVolumeSource.readOnly
    ISCSIVolumeSource.chapAuthDiscovery ISCSIVolumeSource.chapAuthSession ISCSIVolumeSource.readOnly NFSVolumeSource.readOnly
    NodeSpec.unschedulable PersistentVolumeClaimVolumeSource.readOnly PodCondition.observedGeneration PodSpec.hostIPC
    PodSpec.hostNetwork PodSpec.hostPID PodStatus.observedGeneration PortworxVolumeSource.readOnly Probe.failureThreshold
    Probe.initialDelaySeconds Probe.periodSeconds Probe.successThreshold Probe.timeoutSeconds QuobyteVolumeSource.readOnly
    RBDPersistentVolumeSource.readOnly RBDVolumeSource.readOnly ReplicationControllerSpec.minReadySeconds
    ReplicationControllerStatus.availableReplicas ReplicationControllerStatus.fullyLabeledReplicas
    ReplicationControllerStatus.observedGeneration ReplicationControllerStatus.readyReplicas ScaleIOPersistentVolumeSource.readOnly
    ScaleIOPersistentVolumeSource.sslEnabled ScaleIOVolumeSource.readOnly ScaleIOVolumeSource.sslEnabled
    ServicePort.nodePort ServiceSpec.healthCheckNodePort ServiceSpec.publishNotReadyAddresses StorageOSPersistentVolumeSource.readOnly
    StorageOSVolumeSource.readOnly VolumeMount.readOnly VolumeMountStatus.readOnly`,
  'io.k8s.api.events.v1': 'Event.deprecatedCount',
  'io.k8s.api.flowcontrol.v1': 'ResourcePolicyRule.clusterScope',
  'io.k8s.api.networking.v1': 'ServiceBackendPort.number',
  'io.k8s.api.policy.v1': 'PodDisruptionBudgetStatus.observedGeneration',
  'io.k8s.api.resource.v1': 'DeviceSubRequest.count ExactDeviceRequest.count',
  'io.k8s.api.resource.v1beta1': 'DeviceRequest.count DeviceSubRequest.count ResourceSliceSpec.allNodes',
  'io.k8s.api.resource.v1beta2': 'DeviceSubRequest.count ExactDeviceRequest.count',
  'io.k8s.api.scheduling.v1': 'PriorityClass.globalDefault',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1': `
    CustomResourceColumnDefinition.priority CustomResourceDefinitionCondition.observedGeneration
    CustomResourceDefinitionSpec.preserveUnknownFields CustomResourceDefinitionStatus.observedGeneration
    CustomResourceDefinitionVersion.deprecated JSONSchemaProps.exclusiveMaximum JSONSchemaProps.exclusiveMinimum
    JSONSchemaProps.nullable JSONSchemaProps.uniqueItems JSONSchemaProps.x-kubernetes-embedded-resource
    JSONSchemaProps.x-kubernetes-int-or-string`,
  'io.k8s.apimachinery.pkg.apis.meta.v1': `
    Condition.observedGeneration ObjectMeta.generation Status.code StatusDetails.retryAfterSeconds`,
  'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1': 'APIServiceSpec.insecureSkipTLSVerify',
};

/** Lists where upstream rejects an empty one but defaults an absent one. */
export const noticedLists: Words = { 'io.k8s.api.autoscaling.v2': 'HPAScalingRules.policies' };

/** Optional properties that are always there: structs held by value, and what has no omitempty. */
export const alwaysThere: Words = {
  'io.k8s.api.apiserverinternal.v1alpha1': 'StorageVersion.spec StorageVersion.status',
  'io.k8s.api.apps.v1': `
    DaemonSetSpec.updateStrategy DeploymentSpec.strategy ReplicaSetSpec.template StatefulSetOrdinals.start StatefulSetSpec.serviceName
    StatefulSetSpec.updateStrategy StatefulSetStatus.availableReplicas`,
  'io.k8s.api.authentication.v1': 'SelfSubjectReviewStatus.userInfo TokenRequestStatus.token TokenReviewStatus.user',
  'io.k8s.api.batch.v1': 'JobTemplateSpec.metadata JobTemplateSpec.spec',
  'io.k8s.api.core.v1': `
    Container.resources ContainerStatus.lastState ContainerStatus.state EphemeralContainer.resources Event.reportingComponent
    Event.reportingInstance Event.source NodeDaemonEndpoints.kubeletEndpoint NodeRuntimeHandler.name NodeStatus.daemonEndpoints
    NodeStatus.nodeInfo
    PersistentVolumeClaimSpec.resources PersistentVolumeClaimTemplate.metadata PodTemplate.template PodTemplateSpec.metadata
    PodTemplateSpec.spec ResourceFieldSelector.divisor ServiceStatus.loadBalancer`,
  'io.k8s.api.discovery.v1': 'Endpoint.conditions EndpointSlice.ports',
  'io.k8s.api.events.v1': 'Event.deprecatedSource Event.regarding',
  'io.k8s.api.flowcontrol.v1': `
    FlowSchemaSpec.matchingPrecedence LimitedPriorityLevelConfiguration.limitResponse QueuingConfiguration.handSize
    QueuingConfiguration.queueLengthLimit QueuingConfiguration.queues`,
  'io.k8s.api.networking.v1': 'IngressServiceBackend.port IngressStatus.loadBalancer NetworkPolicySpec.podSelector',
  'io.k8s.api.policy.v1': `
    PodDisruptionBudgetStatus.currentHealthy PodDisruptionBudgetStatus.desiredHealthy PodDisruptionBudgetStatus.disruptionsAllowed
    PodDisruptionBudgetStatus.expectedPods`,
  'io.k8s.api.rbac.v1': 'ClusterRole.rules Role.rules RoleRef.apiGroup',
  'io.k8s.api.resource.v1': 'AllocationResult.devices ResourceClaimSpec.devices ResourceClaimTemplateSpec.metadata',
  'io.k8s.api.resource.v1beta1': 'AllocationResult.devices ResourceClaimSpec.devices ResourceClaimTemplateSpec.metadata',
  'io.k8s.api.resource.v1beta2': 'AllocationResult.devices ResourceClaimSpec.devices ResourceClaimTemplateSpec.metadata',
  'io.k8s.api.scheduling.v1': 'PriorityClass.value',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1': 'CustomResourceDefinitionStatus.acceptedNames',
  'io.k8s.apimachinery.pkg.apis.meta.v1': 'APIGroup.preferredVersion',
};

/** Times held by value, which Go writes as null where nothing is known: `omitempty` does not count for structs. */
export const valueTimes: Words = {
  'io.k8s.api.apiserverinternal.v1alpha1': 'StorageVersionCondition.lastTransitionTime',
  'io.k8s.api.apps.v1': `
    DaemonSetCondition.lastTransitionTime DeploymentCondition.lastTransitionTime DeploymentCondition.lastUpdateTime
    ReplicaSetCondition.lastTransitionTime StatefulSetCondition.lastTransitionTime`,
  'io.k8s.api.authentication.v1': 'TokenRequestStatus.expirationTimestamp',
  'io.k8s.api.autoscaling.v2': 'HorizontalPodAutoscalerCondition.lastTransitionTime',
  'io.k8s.api.batch.v1': 'JobCondition.lastProbeTime JobCondition.lastTransitionTime',
  'io.k8s.api.certificates.v1': 'CertificateSigningRequestCondition.lastTransitionTime CertificateSigningRequestCondition.lastUpdateTime',
  'io.k8s.api.core.v1': `
    ContainerStateRunning.startedAt ContainerStateTerminated.finishedAt ContainerStateTerminated.startedAt Event.eventTime
    Event.firstTimestamp Event.lastTimestamp EventSeries.lastObservedTime NamespaceCondition.lastTransitionTime
    NodeCondition.lastHeartbeatTime NodeCondition.lastTransitionTime PersistentVolumeClaimCondition.lastProbeTime
    PersistentVolumeClaimCondition.lastTransitionTime PodCondition.lastProbeTime PodCondition.lastTransitionTime
    ReplicationControllerCondition.lastTransitionTime`,
  'io.k8s.api.events.v1': `
    Event.deprecatedFirstTimestamp Event.deprecatedLastTimestamp Event.eventTime EventSeries.lastObservedTime`,
  'io.k8s.api.flowcontrol.v1': 'FlowSchemaCondition.lastTransitionTime PriorityLevelConfigurationCondition.lastTransitionTime',
  'io.k8s.api.storage.v1': 'VolumeError.time',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1': 'CustomResourceDefinitionCondition.lastTransitionTime',
  'io.k8s.apimachinery.pkg.apis.meta.v1': 'Condition.lastTransitionTime',
  'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1': 'APIServiceCondition.lastTransitionTime',
};

/** Required properties behind a pointer: missing stays missing, for validation to find. */
export const requiredPointers: Words = {
  'io.k8s.api.admissionregistration.v1': `
    MutatingWebhook.sideEffects ValidatingWebhook.sideEffects`,
  'io.k8s.api.apps.v1': 'DaemonSetSpec.selector DeploymentSpec.selector ReplicaSetSpec.selector StatefulSetSpec.selector',
  'io.k8s.api.core.v1': `
    ScaleIOPersistentVolumeSource.secretRef ScaleIOVolumeSource.secretRef`,
  'io.k8s.api.networking.v1': 'HTTPIngressPath.pathType IPAddressSpec.parentRef',
  'io.k8s.api.networking.v1beta1': 'IPAddressSpec.parentRef',
};
