import { BlockList, isIP } from 'node:net';

/** Who may ask: pods and this host. Open to everybody, a resolver is a tool for attacks on others. */
export class Clients {
  readonly #networks: BlockList | undefined;
  readonly #isOwn: (address: string) => boolean;

  /**
   * @param cidrs networks of pods; without any, everybody may ask.
   * @param isOwn tells this host's own addresses, which may change.
   */
  constructor(cidrs: readonly string[], isOwn: (address: string) => boolean) {
    this.#isOwn = isOwn;
    if (cidrs.length === 0) return;
    this.#networks = new BlockList();
    for (const cidr of cidrs) {
      const [address = '', bits = ''] = cidr.split('/');
      this.#networks.addSubnet(address, Number(bits), isIP(address) === 6 ? 'ipv6' : 'ipv4');
    }
  }

  mayAsk(address: string): boolean {
    if (this.#networks === undefined) return true;
    return this.#networks.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4') || this.#isOwn(address);
  }
}
