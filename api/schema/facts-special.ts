// data: which properties hold a type that the package with the field facts shows as a bare string or as anything.
// Definition -> package -> `Kind.property` words; for lists and maps it is the type of their values.
export const specialReferences: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'io.k8s.apimachinery.pkg.runtime.RawExtension': {
    'io.k8s.api.apps.v1': 'ControllerRevision.data',
    'io.k8s.api.resource.v1': 'AllocatedDeviceStatus.data OpaqueDeviceConfiguration.parameters',
    'io.k8s.api.resource.v1beta1': 'AllocatedDeviceStatus.data OpaqueDeviceConfiguration.parameters',
    'io.k8s.api.resource.v1beta2': 'AllocatedDeviceStatus.data OpaqueDeviceConfiguration.parameters',
    'io.k8s.apimachinery.pkg.apis.meta.v1': 'WatchEvent.object',
  },
  'io.k8s.apimachinery.pkg.api.resource.Quantity': {
    'io.k8s.api.autoscaling.v2': `
      HPAScalingRules.tolerance MetricTarget.averageValue MetricTarget.value MetricValueStatus.averageValue MetricValueStatus.value`,
    'io.k8s.api.core.v1': `
      ContainerStatus.allocatedResources EmptyDirVolumeSource.sizeLimit LimitRangeItem.default LimitRangeItem.defaultRequest
      LimitRangeItem.max LimitRangeItem.maxLimitRequestRatio LimitRangeItem.min NodeAllocatableResourceClaimStatus.resources
      NodeStatus.allocatable NodeStatus.capacity PersistentVolumeClaimStatus.allocatedResources PersistentVolumeClaimStatus.capacity
      PersistentVolumeSpec.capacity PodSpec.overhead PodStatus.allocatedResources ResourceFieldSelector.divisor
      ResourceQuotaSpec.hard ResourceQuotaStatus.hard ResourceQuotaStatus.used ResourceRequirements.limits
      ResourceRequirements.requests VolumeResourceRequirements.limits VolumeResourceRequirements.requests`,
    'io.k8s.api.node.v1': 'Overhead.podFixed',
    'io.k8s.api.resource.v1': `
      CapacityRequestPolicy.default CapacityRequestPolicy.validValues CapacityRequestPolicyRange.max CapacityRequestPolicyRange.min
      CapacityRequestPolicyRange.step CapacityRequirements.requests Counter.value DeviceCapacity.value
      DeviceRequestAllocationResult.consumedCapacity NodeAllocatableResourceMapping.allocationMultiplier`,
    'io.k8s.api.resource.v1beta1': `
      CapacityRequestPolicy.default CapacityRequestPolicy.validValues CapacityRequestPolicyRange.max CapacityRequestPolicyRange.min
      CapacityRequestPolicyRange.step CapacityRequirements.requests Counter.value DeviceCapacity.value
      DeviceRequestAllocationResult.consumedCapacity NodeAllocatableResourceMapping.allocationMultiplier`,
    'io.k8s.api.resource.v1beta2': `
      CapacityRequestPolicy.default CapacityRequestPolicy.validValues CapacityRequestPolicyRange.max CapacityRequestPolicyRange.min
      CapacityRequestPolicyRange.step CapacityRequirements.requests Counter.value DeviceCapacity.value
      DeviceRequestAllocationResult.consumedCapacity NodeAllocatableResourceMapping.allocationMultiplier`,
    'io.k8s.api.storage.v1': 'CSIStorageCapacity.capacity CSIStorageCapacity.maximumVolumeSize',
  },
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool': {
    'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1': 'JSONSchemaProps.additionalItems JSONSchemaProps.additionalProperties',
  },
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON': {
    'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1': 'JSONSchemaProps.default JSONSchemaProps.enum JSONSchemaProps.example',
  },
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray': {
    'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1': 'JSONSchemaProps.dependencies',
  },
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray': {
    'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1': 'JSONSchemaProps.items',
  },
  'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1': {
    'io.k8s.apimachinery.pkg.apis.meta.v1': 'ManagedFieldsEntry.fieldsV1',
  },
  'io.k8s.api.apiserverinternal.v1alpha1.StorageVersionSpec': {
    'io.k8s.api.apiserverinternal.v1alpha1': 'StorageVersion.spec',
  },
  'io.k8s.api.scheduling.v1alpha2.BasicSchedulingPolicy': {
    'io.k8s.api.scheduling.v1alpha2': 'PodGroupSchedulingPolicy.basic',
  },
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresourceStatus': {
    'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1': 'CustomResourceSubresources.status',
  },
};

interface Union {
  /** The property that says which one is set; some unions go without. */
  readonly discriminator?: string;
  /** Property -> the discriminator's value for it. */
  readonly fields: Readonly<Record<string, string>>;
}

/** Definitions of whose properties one is set at a time (x-kubernetes-unions). Only published, not checked by decoding. */
export const unions: Readonly<Record<string, Union>> = {
  'io.k8s.api.core.v1.AppArmorProfile': { discriminator: 'type', fields: { localhostProfile: 'LocalhostProfile' } },
  'io.k8s.api.core.v1.PodSchedulingGroup': { fields: { podGroupName: 'PodGroupName' } },
  'io.k8s.api.core.v1.SeccompProfile': { discriminator: 'type', fields: { localhostProfile: 'LocalhostProfile' } },
  'io.k8s.api.flowcontrol.v1.LimitResponse': { discriminator: 'type', fields: { queuing: 'Queuing' } },
  'io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationSpec': {
    discriminator: 'type',
    fields: { exempt: 'Exempt', limited: 'Limited' },
  },
  'io.k8s.api.flowcontrol.v1.Subject': {
    discriminator: 'kind',
    fields: { group: 'Group', serviceAccount: 'ServiceAccount', user: 'User' },
  },
  'io.k8s.api.scheduling.v1alpha2.PodGroupSchedulingPolicy': { fields: { basic: 'Basic', gang: 'Gang' } },
  'io.k8s.api.scheduling.v1alpha2.PodGroupTemplateReference': { fields: { workload: 'Workload' } },
};
