// What an EncryptionConfiguration says, as plain values, and the rules that follow from it.
import { identity, type Sealer, type SealerName, sealers } from './sealers.ts';
import { type ResourceName, SealingRules } from './sealing-rules.ts';

/** A plugin that keeps keys. */
export interface KmsSettings {
  readonly name: string;
  /** `unix:///run/kms.sock`. */
  readonly endpoint: string;
  readonly timeoutMs: number;
}

export type ProviderSettings =
  | { readonly kind: 'identity' }
  | { readonly kind: SealerName; readonly keys: readonly { readonly name: string; readonly secret: Uint8Array }[] }
  | { readonly kind: 'kms'; readonly kms: KmsSettings };

/** In order: resources, and what their values are written and read with. */
export type SealingSettings = readonly {
  readonly resources: readonly ResourceName[];
  readonly providers: readonly ProviderSettings[];
}[];

export function kmsSettingsOf(settings: SealingSettings): readonly KmsSettings[] {
  return settings.flatMap(({ providers }) => providers.flatMap((provider) => (provider.kind === 'kms' ? [provider.kms] : [])));
}

/** `kms` gives the sealer of a plugin. */
export function rulesOf(settings: SealingSettings, kms: (plugin: KmsSettings) => Sealer): SealingRules {
  return new SealingRules(
    settings.map(({ resources, providers }) => ({ resources, sealers: providers.flatMap((provider) => sealersOf(provider, kms)) })),
  );
}

function sealersOf(provider: ProviderSettings, kms: (plugin: KmsSettings) => Sealer): readonly Sealer[] {
  switch (provider.kind) {
    case 'identity':
      return [identity];
    case 'kms':
      return [kms(provider.kms)];
    default:
      return provider.keys.map(({ name, secret }) => sealers[provider.kind](name, secret));
  }
}
