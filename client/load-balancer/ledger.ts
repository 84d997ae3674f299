/** Which Service has which address, as far as this process gave or saw it. A Service has one, and an address one Service. */
export class AddressLedger {
  readonly #addresses = new Map<string, string>();
  readonly #holders = new Map<string, string>();

  holderOf(ip: string): string | undefined {
    return this.#holders.get(ip);
  }

  /** What the Service had before is free. */
  give(key: string, ip: string): void {
    this.free(key);
    this.#addresses.set(key, ip);
    this.#holders.set(ip, key);
  }

  free(key: string): void {
    const ip = this.#addresses.get(key);
    if (ip === undefined) return;
    this.#addresses.delete(key);
    this.#holders.delete(ip);
  }
}
