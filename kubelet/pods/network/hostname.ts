import type { Pod } from '#api/core/pod/pod.ts';

export interface PodHostname {
  /** What the pod's own UTS namespace says. */
  readonly hostname: string;
  /** The DNS domain, '' where the pod has no subdomain. */
  readonly domain: string;
  /** hostname.domain, or the hostname alone. */
  readonly fqdn: string;
}

const maxHostname = 63;
const maxFqdn = 64;

/** What a pod is called on its network (GeneratePodHostNameAndDomain). Throws where a fully qualified name would be too long. */
export function podHostname(pod: Pod, clusterDomain: string, nodeName: string): PodHostname {
  const { hostname = '', subdomain = '', setHostnameAsFQDN = false, hostNetwork = false, hostnameOverride } = pod.spec;
  if (hostnameOverride !== undefined && hostnameOverride !== '') return { hostname: hostnameOverride, domain: '', fqdn: hostnameOverride };
  // A pod on the host's network shares the host's UTS namespace.
  if (hostNetwork) return { hostname: nodeName, domain: '', fqdn: nodeName };
  const short = hostname === '' ? truncate(pod.metadata.name ?? '') : hostname;
  const domain = subdomain === '' ? '' : `${subdomain}.${pod.metadata.namespace ?? ''}.svc.${clusterDomain}`;
  const fqdn = domain === '' ? short : `${short}.${domain}`;
  if (!setHostnameAsFQDN || domain === '') return { hostname: short, domain, fqdn };
  if (fqdn.length > maxFqdn) {
    throw new Error(
      `failed to construct FQDN from pod hostname and cluster domain, FQDN ${fqdn} is too long (${maxFqdn} characters is the max, ${fqdn.length} characters requested)`,
    );
  }
  return { hostname: fqdn, domain, fqdn };
}

/** A hostname has 63 characters and ends in none of `-` and `.`. */
function truncate(name: string): string {
  return name.slice(0, maxHostname).replace(/[-.]+$/, '');
}
