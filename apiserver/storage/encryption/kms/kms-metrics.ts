// Upstream's metrics of KMS plugins: how long their calls take, how many keys are held, and key ids that are none.
import { CounterCells, HistogramCells } from '#base/metric-cells.ts';
import type { Family } from '#base/metrics.ts';

const prefix = 'apiserver_envelope_encryption_';
/** From 0.1 ms on, doubling, to some 52 s. */
const bounds = Array.from({ length: 20 }, (_, step) => 0.0001 * 2 ** step);
const cacheHelp =
  'Number of records in data encryption key (DEK) source cache. On a restart, this value is an approximation of the number of decrypt RPC ' +
  'calls the server will make to the KMS plugin.';
const invalidHelp = 'Number of times an invalid keyID is returned by the Status RPC call split by error.';

export class KmsMetrics {
  readonly #calls = new HistogramCells(
    `${prefix}kms_operations_latency_seconds`,
    '[ALPHA] KMS operation duration with gRPC error code status total.',
    bounds,
    ['grpc_status_code', 'method_name', 'provider_name'],
  );
  readonly #cacheSize = new CounterCells(`${prefix}dek_source_cache_size`, `[ALPHA] ${cacheHelp}`, ['provider_name'], 'gauge');
  readonly #invalid = new CounterCells(`${prefix}invalid_key_id_from_status_total`, `[ALPHA] ${invalidHelp}`, ['error', 'provider_name']);

  /** For the metrics of the process. */
  get families(): readonly Family[] {
    return [this.#cacheSize, this.#invalid, this.#calls];
  }

  /** @param code gRPC's, as Go spells it. */
  called(provider: string, call: { readonly method: string; readonly code: string; readonly seconds: number }): void {
    this.#calls.cell([call.code, call.method, provider]).observe(call.seconds);
  }

  keysHeld(provider: string, count: number): void {
    this.#cacheSize.cell([provider]).value = count;
  }

  invalidKeyId(provider: string, error: 'empty' | 'too_long'): void {
    this.#invalid.cell([error, provider]).value++;
  }
}
