import { BlockList, isIP } from 'node:net';

/** Who may ask: pods, this host, and the nodes, which may masquerade pods of other hosts. An open resolver would invite amplification attacks. */
export class Clients {
  readonly #networks: BlockList | undefined;
  readonly #isHost: (address: string) => boolean;

  /**
   * @param cidrs networks of pods; none: every client is served.
   * @param isHost tells addresses of this host and of nodes, which may change.
   */
  constructor(cidrs: readonly string[], isHost: (address: string) => boolean) {
    this.#isHost = isHost;
    if (cidrs.length === 0) return;
    this.#networks = new BlockList();
    for (const cidr of cidrs) {
      const [address = '', bits = ''] = cidr.split('/');
      this.#networks.addSubnet(address, Number(bits), isIP(address) === 6 ? 'ipv6' : 'ipv4');
    }
  }

  mayAsk(address: string): boolean {
    if (this.#networks === undefined) return true;
    return this.#networks.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4') || this.#isHost(address);
  }
}
