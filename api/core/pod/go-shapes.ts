// The inner types of pod templates as messages show them (pkg/apis/core/types.go). Volumes of kinds that are seldom used any more are not
// broken down.
import type { V1PodSpec, V1PodTemplateSpec } from '#api/generated/types.ts';
import { type GoMember, type GoStruct, goTree } from '../../meta/go-form.ts';
import type { Unchecked } from '../../meta/unchecked.ts';

const each = (struct: GoStruct): GoMember => ({ each: struct });
const one = (struct: GoStruct): GoMember => ({ one: struct });
const always = (struct: GoStruct): GoMember => ({ always: struct });

const named: GoStruct = { Name: '' };
const keyed: GoStruct = { Name: '', Key: '', Optional: null };
const optional: GoStruct = { Name: '', Optional: null };
const items = each({ Key: '', Path: '', Mode: null });
const fieldRef = one({ APIVersion: '', FieldPath: '' });
const resourceFieldRef = one({ ContainerName: '', Resource: '', Divisor: null });
const downwardItems = each({ Path: '', FieldRef: fieldRef, ResourceFieldRef: resourceFieldRef, Mode: null });
const pair: GoStruct = { Name: '', Value: '' };

const resources: GoStruct = { Limits: null, Requests: null, Claims: each({ Name: '', Request: '' }) };
const exec = one({ Command: null });
const httpGet = one({ Path: '', Port: null, Host: '', Scheme: '', HTTPHeaders: each(pair) });
const tcpSocket = one({ Port: null, Host: '' });
const handler: GoStruct = { Exec: exec, HTTPGet: httpGet, TCPSocket: tcpSocket, Sleep: one({ Seconds: 0 }) };
const probe = one({
  Exec: exec,
  HTTPGet: httpGet,
  TCPSocket: tcpSocket,
  GRPC: one({ Port: 0, Service: null }),
  InitialDelaySeconds: 0,
  TimeoutSeconds: 0,
  PeriodSeconds: 0,
  SuccessThreshold: 0,
  FailureThreshold: 0,
  TerminationGracePeriodSeconds: null,
});

const seLinux = one({ User: '', Role: '', Type: '', Level: '' });
const windows = one({ GMSACredentialSpecName: null, GMSACredentialSpec: null, RunAsUserName: null, HostProcess: null });
const profile = one({ Type: '', LocalhostProfile: null });

const container: GoStruct = {
  Name: '',
  Image: '',
  Command: null,
  Args: null,
  WorkingDir: '',
  Ports: each({ Name: '', HostPort: 0, ContainerPort: 0, Protocol: '', HostIP: '' }),
  EnvFrom: each({ Prefix: '', ConfigMapRef: one(optional), SecretRef: one(optional) }),
  Env: each({
    ...pair,
    ValueFrom: one({
      FieldRef: fieldRef,
      ResourceFieldRef: resourceFieldRef,
      ConfigMapKeyRef: one(keyed),
      SecretKeyRef: one(keyed),
      FileKeyRef: one({ VolumeName: '', Path: '', Key: '', Optional: null }),
    }),
  }),
  Resources: always(resources),
  ResizePolicy: each({ ResourceName: '', RestartPolicy: '' }),
  RestartPolicy: null,
  RestartPolicyRules: each({ Action: '', ExitCodes: one({ Operator: '', Values: null }) }),
  VolumeMounts: each({
    Name: '',
    ReadOnly: false,
    RecursiveReadOnly: null,
    MountPath: '',
    SubPath: '',
    MountPropagation: null,
    SubPathExpr: '',
  }),
  VolumeDevices: each({ Name: '', DevicePath: '' }),
  LivenessProbe: probe,
  ReadinessProbe: probe,
  StartupProbe: probe,
  Lifecycle: one({ PostStart: one(handler), PreStop: one(handler), StopSignal: null }),
  TerminationMessagePath: '',
  TerminationMessagePolicy: '',
  ImagePullPolicy: '',
  SecurityContext: one({
    Capabilities: one({ Add: null, Drop: null }),
    Privileged: null,
    SELinuxOptions: seLinux,
    WindowsOptions: windows,
    RunAsUser: null,
    RunAsGroup: null,
    RunAsNonRoot: null,
    ReadOnlyRootFilesystem: null,
    AllowPrivilegeEscalation: null,
    ProcMount: null,
    SeccompProfile: profile,
    AppArmorProfile: profile,
  }),
  Stdin: false,
  StdinOnce: false,
  TTY: false,
};

const projection: GoStruct = {
  Secret: one({ Name: '', Items: items, Optional: null }),
  DownwardAPI: one({ Items: downwardItems }),
  ConfigMap: one({ Name: '', Items: items, Optional: null }),
  ServiceAccountToken: one({ Audience: '', ExpirationSeconds: 0, Path: '' }),
  ClusterTrustBundle: one({ Name: null, SignerName: null, LabelSelector: null, Optional: null, Path: '' }),
  PodCertificate: null,
};

const volume: GoStruct = {
  Name: '',
  HostPath: one({ Path: '', Type: null }),
  EmptyDir: one({ Medium: '', SizeLimit: null }),
  GCEPersistentDisk: null,
  AWSElasticBlockStore: null,
  GitRepo: null,
  Secret: one({ SecretName: '', Items: items, DefaultMode: null, Optional: null }),
  NFS: one({ Server: '', Path: '', ReadOnly: false }),
  ISCSI: null,
  Glusterfs: null,
  PersistentVolumeClaim: one({ ClaimName: '', ReadOnly: false }),
  RBD: null,
  Quobyte: null,
  FlexVolume: null,
  Cinder: null,
  CephFS: null,
  Flocker: null,
  DownwardAPI: one({ Items: downwardItems, DefaultMode: null }),
  FC: null,
  AzureFile: null,
  ConfigMap: one({ Name: '', Items: items, DefaultMode: null, Optional: null }),
  VsphereVolume: null,
  AzureDisk: null,
  PhotonPersistentDisk: null,
  Projected: one({ Sources: each(projection), DefaultMode: null }),
  PortworxVolume: null,
  ScaleIO: null,
  StorageOS: null,
  CSI: one({ Driver: '', ReadOnly: null, FSType: null, VolumeAttributes: null, NodePublishSecretRef: one(named) }),
  Ephemeral: null,
  Image: one({ Reference: '', PullPolicy: '' }),
};

const expressions = each({ Key: '', Operator: '', Values: null });
const selectorTerm: GoStruct = { MatchExpressions: expressions, MatchFields: expressions };
const affinityTerm: GoStruct = {
  LabelSelector: null,
  Namespaces: null,
  TopologyKey: '',
  NamespaceSelector: null,
  MatchLabelKeys: null,
  MismatchLabelKeys: null,
};
const podAffinity = one({
  RequiredDuringSchedulingIgnoredDuringExecution: each(affinityTerm),
  PreferredDuringSchedulingIgnoredDuringExecution: each({ Weight: 0, PodAffinityTerm: always(affinityTerm) }),
});

const podSpec: GoStruct = {
  Volumes: each(volume),
  InitContainers: each(container),
  Containers: each(container),
  EphemeralContainers: null,
  RestartPolicy: '',
  TerminationGracePeriodSeconds: null,
  ActiveDeadlineSeconds: null,
  DNSPolicy: '',
  NodeSelector: null,
  ServiceAccountName: '',
  AutomountServiceAccountToken: null,
  NodeName: '',
  SecurityContext: always({
    HostNetwork: false,
    HostPID: false,
    HostIPC: false,
    ShareProcessNamespace: null,
    HostUsers: null,
    SELinuxOptions: seLinux,
    WindowsOptions: windows,
    RunAsUser: null,
    RunAsGroup: null,
    RunAsNonRoot: null,
    SupplementalGroups: null,
    SupplementalGroupsPolicy: null,
    FSGroup: null,
    FSGroupChangePolicy: null,
    Sysctls: each(pair),
    SeccompProfile: profile,
    AppArmorProfile: profile,
    SELinuxChangePolicy: null,
  }),
  ImagePullSecrets: each(named),
  Hostname: '',
  Subdomain: '',
  SetHostnameAsFQDN: null,
  Affinity: one({
    NodeAffinity: one({
      RequiredDuringSchedulingIgnoredDuringExecution: one({ NodeSelectorTerms: each(selectorTerm) }),
      PreferredDuringSchedulingIgnoredDuringExecution: each({ Weight: 0, Preference: always(selectorTerm) }),
    }),
    PodAffinity: podAffinity,
    PodAntiAffinity: podAffinity,
  }),
  SchedulerName: '',
  Tolerations: each({ Key: '', Operator: '', Value: '', Effect: '', TolerationSeconds: null }),
  HostAliases: each({ IP: '', Hostnames: null }),
  PriorityClassName: '',
  Priority: null,
  PreemptionPolicy: null,
  DNSConfig: one({ Nameservers: null, Searches: null, Options: each({ Name: '', Value: null }) }),
  ReadinessGates: each({ ConditionType: '' }),
  RuntimeClassName: null,
  Overhead: null,
  EnableServiceLinks: null,
  TopologySpreadConstraints: each({
    MaxSkew: 0,
    TopologyKey: '',
    WhenUnsatisfiable: '',
    LabelSelector: null,
    MinDomains: null,
    NodeAffinityPolicy: null,
    NodeTaintsPolicy: null,
    MatchLabelKeys: null,
  }),
  OS: one(named),
  SchedulingGates: each(named),
  ResourceClaims: each({ Name: '', ResourceClaimName: null, ResourceClaimTemplateName: null }),
  Resources: one(resources),
  HostnameOverride: null,
  SchedulingGroup: one({ PodGroupName: null }),
};

/** A template as a message shows it: metadata by its own names, the spec by Go's. */
export function shownTemplate({ metadata, spec = {} }: Unchecked<V1PodTemplateSpec>): object {
  return { ...metadata, Spec: goTree(withHostParts(spec), podSpec) };
}

/** What a pod shares with its host is part of its security context there. */
function withHostParts(spec: Unchecked<V1PodSpec>): object {
  const { hostNetwork, hostPID, hostIPC, shareProcessNamespace, hostUsers, securityContext } = spec;
  return { ...spec, securityContext: { ...securityContext, hostNetwork, hostPID, hostIPC, shareProcessNamespace, hostUsers } };
}
