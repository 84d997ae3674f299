import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { UsageError } from '#base/lifecycle.ts';

/** Kernel settings without which pods or Services cannot be reached, as paths below /proc/sys. */
const wanted: Readonly<Record<string, string>> = {
  'net/ipv4/ip_forward': '1',
  'net/bridge/bridge-nf-call-iptables': '1',
};

/** Sets what is not set, before Docker starts: turned on by Docker itself, ip_forward makes it drop what it does not know. */
export function ensureKernelSettings(): void {
  if (!existsSync('/proc/sys/net/bridge')) tryModprobe('br_netfilter');
  for (const [path, value] of Object.entries(wanted)) {
    const file = `/proc/sys/${path}`;
    if (!existsSync(file) || readFileSync(file, 'utf8').trim() === value) continue;
    try {
      writeFileSync(file, value);
    } catch (error) {
      throw new UsageError(`cannot set ${path.replaceAll('/', '.')} to ${value}, which pods need to talk`, { exitCode: 3, cause: error });
    }
  }
}

/** The networks of a cluster that this host itself must have a route to. */
interface ServiceNetworks {
  readonly serviceCidr: string;
  readonly loadBalancerCidr: string;
}

/**
 * Leads connections of the host itself to where the rules of Services take them: the LoadBalancer pool is the host's own, and Service
 * addresses need some route, whatever it says, also on a host that has no default route or loses it.
 */
export function routeServices(networks: ServiceNetworks): void {
  for (const route of routes(networks)) ip('replace', route);
}

export function unrouteServices(networks: ServiceNetworks): void {
  for (const route of routes(networks)) {
    try {
      ip('del', route);
    } catch {
      // There was none.
    }
  }
}

function routes({ serviceCidr, loadBalancerCidr }: ServiceNetworks): readonly (readonly string[])[] {
  return [
    ['local', loadBalancerCidr, 'dev', 'lo'],
    [serviceCidr, 'dev', 'lo'],
  ];
}

function ip(verb: string, route: readonly string[]): void {
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
  execFileSync('ip', ['route', verb, ...route], { stdio: ['ignore', 'ignore', 'pipe'], env });
}

function tryModprobe(name: string): void {
  try {
    execFileSync('modprobe', [name], { stdio: 'ignore' });
  } catch {
    return; // Built in, or not to be had: what needs it says so itself.
  }
}
