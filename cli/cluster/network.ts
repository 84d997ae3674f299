import { networkInterfaces } from 'node:os';
import { readFileSync } from 'node:fs';
import { UsageError } from '#base/lifecycle.ts';

const virtual = /^(lo|docker|cni|veth|br-|virbr|flannel|cali|tun|tap)/;

/** The IPv4 address that other machines know this host by: the default route's interface, else the first real one. */
export function hostAddress(): string {
  const preferred = defaultRouteInterface();
  const candidates = Object.entries(networkInterfaces())
    .filter(([name]) => !virtual.test(name))
    .sort(([a], [b]) => Number(b === preferred) - Number(a === preferred))
    .flatMap(([, addresses]) =>
      (addresses ?? []).filter(({ family, internal }) => family === 'IPv4' && !internal).map(({ address }) => address),
    );
  const [first] = candidates;
  if (first === undefined) {
    throw new UsageError('this host has no IPv4 address besides its loopback: a node needs one that its pods can reach', { exitCode: 3 });
  }
  return first;
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

function defaultRouteInterface(): string | undefined {
  const routes = readFileSync('/proc/net/route', 'utf8').split('\n').slice(1);
  return routes
    .map((line) => line.split('\t'))
    .find(([, destination, , , , , , mask]) => destination === '00000000' && mask === '00000000')?.[0];
}
