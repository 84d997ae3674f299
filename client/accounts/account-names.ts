/**
 * The service account of kube-system that a controller works as, where it has not the controller's name (upstream's
 * cmd/kube-controller-manager/app, cloud-provider/app): the account that upstream's default role for this controller is bound to.
 */
const accountNames: Readonly<Record<string, string>> = {
  'replicationcontroller-controller': 'replication-controller',
  'endpointslice-mirroring-controller': 'endpointslicemirroring-controller',
  'endpoints-controller': 'endpoint-controller',
  'daemonset-controller': 'daemon-set-controller',
  'horizontal-pod-autoscaler-controller': 'horizontal-pod-autoscaler',
  'serviceaccount-controller': 'service-account-controller',
  'root-ca-certificate-publisher-controller': 'root-ca-cert-publisher',
  'garbage-collector-controller': 'generic-garbage-collector',
  'pod-garbage-collector-controller': 'pod-garbage-collector',
  'node-lifecycle-controller': 'node-controller',
  'taint-eviction-controller': 'node-controller',
  'node-ipam-controller': 'node-controller',
  'node-route-controller': 'route-controller',
  'service-lb-controller': 'service-controller',
  'cloud-node-controller': 'node-controller',
  'cloud-node-lifecycle-controller': 'node-controller',
  'service-cidr-controller': 'service-cidrs-controller',
  'persistentvolume-binder-controller': 'persistent-volume-binder',
  'persistentvolume-attach-detach-controller': 'attachdetach-controller',
  'persistentvolume-expander-controller': 'expand-controller',
  'persistentvolumeclaim-protection-controller': 'pvc-protection-controller',
  'persistentvolume-protection-controller': 'pv-protection-controller',
  'resourceclaim-controller': 'resource-claim-controller',
  'certificatesigningrequest-signing-controller': 'certificate-controller',
  'certificatesigningrequest-approving-controller': 'certificate-controller',
  'certificatesigningrequest-cleaner-controller': 'certificate-controller',
  'bootstrap-signer-controller': 'bootstrap-signer',
  'token-cleaner-controller': 'token-cleaner',
  'legacy-serviceaccount-token-cleaner-controller': 'legacy-service-account-token-cleaner',
};

export function accountOf(controller: string): string {
  return accountNames[controller] ?? controller;
}
