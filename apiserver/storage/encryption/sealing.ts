// Encryption as a process has it: a store that seals, the plugins that keep its keys, and a look at the configuration's file now and then.
import type { KindDefinition } from '#api/kind.ts';
import type { Clock } from '#base/clock.ts';
import { FileWatch } from '#base/file-watch.ts';
import type { HealthCheck } from '#base/health-checks.ts';
import type { Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import type { Family } from '#base/metrics.ts';
import type { Store } from '../contract.ts';
import { EncryptedStore, sealableResources } from './encrypted-store.ts';
import { KmsProviders } from './kms/providers.ts';
import { kmsSettingsOf, type SealingSettings } from './settings.ts';

export interface SealingOptions {
  readonly settings: SealingSettings;
  /** Where other settings may come from while the process runs; undefined: never. */
  readonly reload: { readonly path: string; readonly read: () => SealingSettings } | undefined;
  /** Keeps what is sealed. */
  readonly store: Store;
  readonly kinds: readonly KindDefinition[];
  readonly clock: Clock;
  readonly log: Log;
}

export class Sealing {
  readonly store: EncryptedStore;
  readonly checks: readonly HealthCheck[];
  /** For the metrics of the process. */
  readonly families: readonly Family[];
  /** To be run while the store is in use. */
  readonly keepers: readonly Service[];

  readonly #kms: KmsProviders;
  readonly #reload: SealingOptions['reload'];

  private constructor(store: EncryptedStore, kms: KmsProviders, { settings, reload, clock, log }: SealingOptions) {
    this.store = store;
    this.#kms = kms;
    this.families = kms.metrics.families;
    this.#reload = reload;
    // As upstream's: where plugins may come, there is a page for them.
    this.checks = reload !== undefined || kmsSettingsOf(settings).length > 0 ? [kms.healthCheck] : [];
    const file = reload && new FileWatch({ paths: [reload.path], onChange: () => this.reload(), clock, log });
    this.keepers = file === undefined ? [kms] : [kms, file];
  }

  /** Asks each plugin once; one that is away is asked again, and what needs its keys waits for it. */
  static async start(options: SealingOptions): Promise<Sealing> {
    const { settings, store: below, kinds, clock, log } = options;
    const kms: KmsProviders = new KmsProviders({ onOtherKey: () => store.outdateAll(), clock, log });
    const rules = kms.rulesNow(settings);
    const store: EncryptedStore = new EncryptedStore({ store: below, rules, resources: sealableResources(kinds) });
    await kms.firstCheck();
    return new Sealing(store, kms, options);
  }

  /** Uses what the configuration says now. Throws, and changes nothing, where it cannot be used, or names a plugin that is not well. */
  async reload(): Promise<void> {
    const settings = this.#reload?.read();
    if (settings === undefined) return;
    this.store.useRules(await this.#kms.rulesOnceWell(settings));
    this.#kms.keepOnly(settings);
  }
}
