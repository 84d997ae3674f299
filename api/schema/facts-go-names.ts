// data: names of Go's types in v1.36 that only messages about wrong types show: of structs inside structs, of maps' keys, of lists.
type Sites = Readonly<Record<string, string>>;

/** Structs that others embed -> package -> properties that come from there. Of two, the outer one comes first. */
export const embeddedStructs: Readonly<Record<string, Sites>> = {
  DeviceConfiguration: {
    'io.k8s.api.resource.v1': 'DeviceAllocationConfiguration.opaque DeviceClaimConfiguration.opaque DeviceClassConfiguration.opaque',
  },
  EphemeralContainerCommon: {
    'io.k8s.api.core.v1': `
      EphemeralContainer.args EphemeralContainer.command EphemeralContainer.env EphemeralContainer.envFrom EphemeralContainer.image
      EphemeralContainer.imagePullPolicy EphemeralContainer.lifecycle EphemeralContainer.livenessProbe EphemeralContainer.name
      EphemeralContainer.ports EphemeralContainer.readinessProbe EphemeralContainer.resizePolicy EphemeralContainer.resources
      EphemeralContainer.restartPolicy EphemeralContainer.restartPolicyRules EphemeralContainer.securityContext
      EphemeralContainer.startupProbe EphemeralContainer.stdin EphemeralContainer.stdinOnce
      EphemeralContainer.terminationMessagePath EphemeralContainer.terminationMessagePolicy EphemeralContainer.tty
      EphemeralContainer.volumeDevices EphemeralContainer.volumeMounts EphemeralContainer.workingDir`,
  },
  IngressRuleValue: { 'io.k8s.api.networking.v1': 'IngressRule.http' },
  LocalObjectReference: {
    'io.k8s.api.core.v1': `
      ConfigMapEnvSource.name ConfigMapKeySelector.name ConfigMapProjection.name ConfigMapVolumeSource.name SecretEnvSource.name
      SecretKeySelector.name SecretProjection.name`,
  },
  PersistentVolumeSource: {
    'io.k8s.api.core.v1': `
      PersistentVolumeSpec.awsElasticBlockStore PersistentVolumeSpec.azureDisk PersistentVolumeSpec.azureFile
      PersistentVolumeSpec.cephfs PersistentVolumeSpec.cinder PersistentVolumeSpec.csi PersistentVolumeSpec.fc
      PersistentVolumeSpec.flexVolume PersistentVolumeSpec.flocker PersistentVolumeSpec.gcePersistentDisk
      PersistentVolumeSpec.glusterfs PersistentVolumeSpec.hostPath PersistentVolumeSpec.iscsi PersistentVolumeSpec.local
      PersistentVolumeSpec.nfs PersistentVolumeSpec.photonPersistentDisk PersistentVolumeSpec.portworxVolume
      PersistentVolumeSpec.quobyte PersistentVolumeSpec.rbd PersistentVolumeSpec.scaleIO PersistentVolumeSpec.storageos
      PersistentVolumeSpec.vsphereVolume`,
  },
  ProbeHandler: { 'io.k8s.api.core.v1': 'Probe.exec Probe.grpc Probe.httpGet Probe.tcpSocket' },
  Rule: {
    'io.k8s.api.admissionregistration.v1':
      'RuleWithOperations.apiGroups RuleWithOperations.apiVersions RuleWithOperations.resources RuleWithOperations.scope',
  },
  RuleWithOperations: { 'io.k8s.api.admissionregistration.v1': 'NamedRuleWithOperations.operations' },
  'RuleWithOperations.Rule': {
    'io.k8s.api.admissionregistration.v1': `
      NamedRuleWithOperations.apiGroups NamedRuleWithOperations.apiVersions NamedRuleWithOperations.resources
      NamedRuleWithOperations.scope`,
  },
  VolumeSource: {
    'io.k8s.api.core.v1': `
      Volume.awsElasticBlockStore Volume.azureDisk Volume.azureFile Volume.cephfs Volume.cinder Volume.configMap Volume.csi
      Volume.downwardAPI Volume.emptyDir Volume.ephemeral Volume.fc Volume.flexVolume Volume.flocker Volume.gcePersistentDisk
      Volume.gitRepo Volume.glusterfs Volume.hostPath Volume.image Volume.iscsi Volume.nfs Volume.persistentVolumeClaim
      Volume.photonPersistentDisk Volume.portworxVolume Volume.projected Volume.quobyte Volume.rbd Volume.scaleIO Volume.secret
      Volume.storageos Volume.vsphereVolume`,
  },
};

/** Types of maps' keys that are more than strings. Maps of quantities without an entry are a type of their own. */
export const namedKeys: Readonly<Record<string, Sites>> = {
  'v1.QualifiedName': {
    'io.k8s.api.resource.v1':
      'CapacityRequirements.requests Device.attributes Device.capacity DeviceRequestAllocationResult.consumedCapacity',
  },
  'v1.ResourceName': {
    'io.k8s.api.core.v1': 'NodeAllocatableResourceClaimStatus.resources PersistentVolumeClaimStatus.allocatedResourceStatuses',
    'io.k8s.api.resource.v1': 'Device.nodeAllocatableResourceMappings',
  },
};

/** Lists in maps that have a name. */
export const namedLists: Readonly<Record<string, Sites>> = {
  'v1.ExtraValue': {
    'io.k8s.api.authentication.v1': 'UserInfo.extra',
    'io.k8s.api.authorization.v1': 'SubjectAccessReviewSpec.extra',
    'io.k8s.api.certificates.v1': 'CertificateSigningRequestSpec.extra',
  },
};
