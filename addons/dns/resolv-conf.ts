import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { Clock } from '#base/clock.ts';

interface ResolvConfOptions {
  readonly path: string;
  /** Addresses that would lead back to this process, which must not be asked. */
  readonly ownAddresses: readonly string[];
  readonly clock: Clock;
}

const rereadMs = 5_000;

/** The resolvers that a resolv.conf names; read again now and then, since a host's network may change. */
export class ResolvConf {
  readonly #options: ResolvConfOptions;
  #servers: readonly string[] = [];
  #readAtMs: number | undefined;

  constructor(options: ResolvConfOptions) {
    this.#options = options;
  }

  /** A missing file names none. */
  servers(): readonly string[] {
    const { path, ownAddresses, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    if (this.#readAtMs !== undefined && nowMs - this.#readAtMs < rereadMs) return this.#servers;
    this.#readAtMs = nowMs;
    try {
      this.#servers = resolversOf(readFileSync(path, 'utf8'), ownAddresses);
    } catch {
      this.#servers = []; // Names outside of the cluster are then not resolved.
    }
    return this.#servers;
  }
}

/** The host's own resolvers in a resolv.conf, without those that would lead back to this process; three count, as in the C library. */
export function resolversOf(resolvConf: string, ownAddresses: readonly string[]): readonly string[] {
  const listed = [...resolvConf.matchAll(/^[ \t]*nameserver[ \t]+([^\s#;]+)/gm)].map(([, address = '']) => address);
  return [...new Set(listed)].filter((address) => isIP(address) !== 0 && !ownAddresses.includes(address)).slice(0, 3);
}
