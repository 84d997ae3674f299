import { configSourceAnnotation, isStaticPod } from '#api/core/pod/mirror.ts';
import type { Pod } from '#api/core/pod/pod.ts';
import type { PortMapping, SandboxSpec } from '../runtime/contract.ts';
import { logDirectory } from './container-config.ts';
import { type ClusterDns, podDns, type PodDns } from './network/dns.ts';
import { podHostname } from './network/hostname.ts';
import { sysctlName } from './sysctl-name.ts';
import { type CgroupDriver, podCgroup } from './resources/pod-cgroup.ts';

interface SandboxInputs {
  readonly clusterDns: ClusterDns;
  /** Undefined: the node is not to have one. */
  readonly hostDns: PodDns['settings'] | undefined;
  readonly nodeName: string;
  readonly cgroupRoot: string;
  /** Default: cgroupfs. */
  readonly cgroupDriver?: CgroupDriver;
  /** False where the machine refuses our cgroups. */
  readonly hasCgroup: boolean;
  /** Of its RuntimeClass; undefined: the default. */
  readonly runtimeHandler?: string | undefined;
}

interface SandboxOrder {
  readonly spec: SandboxSpec;
  readonly warnings: PodDns['warnings'];
}

/** The runtime's order for a pod's sandbox. Throws where the pod asks for what this node cannot give. */
export function sandboxSpec(pod: Pod, attempt: number, inputs: SandboxInputs): SandboxOrder {
  refuseUnsupported(pod, inputs.runtimeHandler ?? '');
  const { spec, metadata } = pod;
  const dns = podDns(pod, inputs.clusterDns, inputs.hostDns);
  const { hostname } = podHostname(pod, inputs.clusterDns.domain, inputs.nodeName);
  const sysctls = Object.fromEntries((spec.securityContext?.sysctls ?? []).map(({ name, value }) => [sysctlName(name), value]));
  return {
    warnings: dns.warnings,
    spec: {
      pod: { name: metadata.name ?? '', namespace: metadata.namespace ?? '', uid: metadata.uid ?? '' },
      attempt,
      hostname,
      dns: dns.settings,
      ...(inputs.hasCgroup ? { cgroupParent: podCgroup(pod, inputs.cgroupRoot, inputs.cgroupDriver).parent } : {}),
      ...(Object.keys(sysctls).length === 0 ? {} : { sysctls }),
      ...(inputs.runtimeHandler === undefined ? {} : { runtimeHandler: inputs.runtimeHandler }),
      hostNetwork: spec.hostNetwork === true,
      hostPid: spec.hostPID === true,
      hostIpc: spec.hostIPC === true,
      shareProcessNamespace: spec.shareProcessNamespace === true,
      portMappings: portMappings(pod),
      logDirectory: logDirectory(pod),
      ...(isStaticPod(pod) ? { annotations: { [configSourceAnnotation]: metadata.annotations?.[configSourceAnnotation] ?? '' } } : {}),
    },
  };
}

function portMappings(pod: Pod): PortMapping[] {
  if (pod.spec.hostNetwork === true) return [];
  const sidecars = (pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  return [...sidecars, ...pod.spec.containers].flatMap(({ ports = [] }) =>
    ports
      .filter(({ hostPort = 0 }) => hostPort > 0)
      .map(({ protocol = 'TCP', containerPort, hostPort = 0, hostIP }) => ({
        protocol: protocol as PortMapping['protocol'],
        containerPort,
        hostPort,
        ...(hostIP === undefined || hostIP === '' ? {} : { hostIp: hostIP }),
      })),
  );
}

/** Docker has user namespaces for all of its containers or for none, which is what the node says of its handlers. */
function refuseUnsupported({ spec }: Pod, handler: string): void {
  const { hostUsers, resourceClaims = [] } = spec;
  if (hostUsers === false) throw new Error(`RuntimeClass handler ${JSON.stringify(handler)} does not support user namespaces`);
  if (resourceClaims.length > 0) throw new Error('resource claims are not supported by this node yet');
}
