import { networkInterfaces } from 'node:os';
import { readFileSync } from 'node:fs';
import { UsageError } from '#base/lifecycle.ts';

/** Interfaces that lead to containers of this host or to itself, our own bridge among them; other hosts do not reach this one there. */
const virtual = /^(lo|docker|coxswain|cni|veth|br-|virbr|flannel|cali|podman|lxc|lxd|kube|dummy|tun|tap|wg|tailscale)/;
const linkLocal = /^169\.254\./;

type Interfaces = ReturnType<typeof networkInterfaces>;

/** The IPv4 address that other machines know this host by: the default route's interface, else the first real one. */
export function hostAddress(): string {
  const address = chooseAddress(networkInterfaces(), defaultRouteInterface(readFileSync('/proc/net/route', 'utf8')));
  if (address === undefined) {
    throw new UsageError('this host has no IPv4 address besides its loopback: a node needs one that its pods can reach', { exitCode: 3 });
  }
  return address;
}

/** Undefined where no interface has an address that others could use. */
export function chooseAddress(interfaces: Interfaces, preferred: string | undefined): string | undefined {
  const real = Object.entries(interfaces)
    .filter(([name]) => !virtual.test(name))
    .sort(([a], [b]) => Number(b === preferred) - Number(a === preferred));
  return real
    .flatMap(([, addresses]) => addresses ?? [])
    .find(({ family, internal, address }) => family === 'IPv4' && !internal && !linkLocal.test(address))?.address;
}

/** `10.96.0.0/12` → `10.96.0.1`. */
export function firstAddress(cidr: string): string {
  return addressAt(cidr, 1);
}

/** The address `offset` above the network's base. */
export function addressAt(cidr: string, offset: number): string {
  const base = (cidr.split('/')[0] ?? '').split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const value = base + offset;
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}

/** The interface of the default route with the lowest metric, from the text of /proc/net/route. */
export function defaultRouteInterface(table: string): string | undefined {
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'))
    .filter(([, destination, , , , , , mask]) => destination === '00000000' && mask === '00000000')
    .sort((a, b) => Number(a[6]) - Number(b[6]))[0]?.[0];
}
