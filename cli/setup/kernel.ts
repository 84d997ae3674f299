import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

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
    if (existsSync(file) && readFileSync(file, 'utf8').trim() !== value) writeFileSync(file, value);
  }
}

/** Routes the LoadBalancer pool to this host, so that connections from the host itself reach kube-proxy's rules. */
export function routeLoadBalancers(cidr: string): void {
  execFileSync('ip', ['route', 'replace', 'local', cidr, 'dev', 'lo'], { stdio: ['ignore', 'ignore', 'pipe'] });
}

export function unrouteLoadBalancers(cidr: string): void {
  try {
    execFileSync('ip', ['route', 'del', 'local', cidr, 'dev', 'lo'], { stdio: 'ignore' });
  } catch {
    return; // There was none.
  }
}

function tryModprobe(name: string): void {
  try {
    execFileSync('modprobe', [name], { stdio: 'ignore' });
  } catch {
    return; // Built in, or not to be had: what needs it says so itself.
  }
}
