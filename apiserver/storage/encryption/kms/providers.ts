// The KMS plugins that a configuration names: kept while they are named, asked every minute how they are.
import type { Clock } from '#base/clock.ts';
import type { HealthCheck } from '#base/health-checks.ts';
import { aborted, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { type KmsSettings, kmsSettingsOf, rulesOf, type SealingSettings } from '../settings.ts';
import type { SealingRules } from '../sealing-rules.ts';
import { KmsMetrics } from './kms-metrics.ts';
import { PluginClient } from './plugin-client.ts';
import { KmsProvider } from './provider.ts';

/** Upstream's times. */
const askEveryMs = { well: 60_000, ill: 10_000 };

interface KmsProvidersOptions {
  /** Called when values are to be sealed with another key than before. */
  readonly onOtherKey: () => void;
  readonly clock: Clock;
  readonly log: Log;
}

interface Kept {
  readonly provider: KmsProvider;
  /** Ends the asking. */
  readonly stop: AbortController;
  asking: Promise<void> | undefined;
}

export class KmsProviders implements Service {
  readonly name = 'KMS plugins';
  readonly metrics = new KmsMetrics();
  readonly #options: KmsProvidersOptions;
  /** By what is said of them. */
  readonly #kept = new Map<string, Kept>();
  readonly #life = new AbortController();
  #isRunning = false;

  constructor(options: KmsProvidersOptions) {
    this.#options = options;
  }

  /** Fails while one of the plugins is not well: upstream's name. A restart of the server would not help, so /livez does not include it. */
  get healthCheck(): HealthCheck {
    return { name: 'kms-providers', on: ['healthz', 'readyz'], check: () => this.#check() };
  }

  /** The rules of a configuration, whose plugins may still be away. */
  rulesNow(settings: SealingSettings): SealingRules {
    this.#connect(settings);
    return this.#rules(settings);
  }

  /** Asks all plugins how they are, and takes their keys. */
  async firstCheck(): Promise<void> {
    await this.#check();
  }

  /** The rules of another configuration. Throws, and keeps what there was, while a plugin that is new in it is not well. */
  async rulesOnceWell(settings: SealingSettings): Promise<SealingRules> {
    const before = new Set(this.#kept.keys());
    this.#connect(settings);
    const added = [...this.#kept].filter(([key]) => !before.has(key));
    const results = await Promise.all(added.map(([, { provider }]) => provider.check()));
    const problem = results.find((result) => result !== true);
    if (problem === undefined) return this.#rules(settings);
    for (const [key] of added) this.#drop(key);
    throw new Error(String(problem));
  }

  /** Lets go of plugins that the configuration no longer names; call it when their sealers are no longer used. */
  keepOnly(settings: SealingSettings): void {
    const named = new Set(kmsSettingsOf(settings).map(keyOf));
    for (const key of this.#kept.keys()) if (!named.has(key)) this.#drop(key);
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    this.#isRunning = true;
    this.#askAll();
    ready();
    await aborted(signal);
    this.#life.abort(signal.reason);
    const asking = [...this.#kept.values()].map((kept) => kept.asking ?? Promise.resolve());
    for (const key of this.#kept.keys()) this.#drop(key);
    await Promise.all(asking);
  }

  async #check(): Promise<true | string> {
    const results = await Promise.all([...this.#kept.values()].map(({ provider }) => provider.check()));
    const problems = results.flatMap((result, at) => (result === true ? [] : [`kms-provider-${at}: ${result}`]));
    if (problems.length === 0) return true;
    return problems.length === 1 ? String(problems[0]) : `[${problems.join(', ')}]`;
  }

  #connect(settings: SealingSettings): void {
    const { clock, log, onOtherKey } = this.#options;
    const { metrics } = this;
    for (const one of kmsSettingsOf(settings)) {
      if (this.#kept.has(keyOf(one))) continue;
      const plugin = new PluginClient(one, clock, (call) => metrics.called(one.name, call));
      const provider = new KmsProvider({ name: one.name, plugin, metrics, onOtherKey, life: this.#life.signal, clock, log });
      this.#kept.set(keyOf(one), { provider, stop: new AbortController(), asking: undefined });
    }
  }

  #rules(settings: SealingSettings): SealingRules {
    if (this.#isRunning) this.#askAll();
    return rulesOf(settings, (one) => {
      const kept = this.#kept.get(keyOf(one));
      if (kept === undefined) throw new Error(`there is no KMS provider ${one.name}`);
      return kept.provider;
    });
  }

  #askAll(): void {
    for (const kept of this.#kept.values()) kept.asking ??= this.#ask(kept);
  }

  async #ask({ provider, stop }: Kept): Promise<void> {
    const signal = AbortSignal.any([stop.signal, this.#life.signal]);
    try {
      for (;;) {
        const result = await provider.check();
        await this.#options.clock.sleep(result === true ? askEveryMs.well : askEveryMs.ill, signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #drop(key: string): void {
    const kept = this.#kept.get(key);
    this.#kept.delete(key);
    kept?.stop.abort(new Error('the configuration does not name it any more'));
    kept?.provider.close();
  }
}

function keyOf({ name, endpoint, timeoutMs }: KmsSettings): string {
  return JSON.stringify([name, endpoint, timeoutMs]);
}
