import { expect, test } from 'vitest';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLog } from '#base/log.ts';
import { KmsProviders } from './providers.ts';
import { TestPlugin } from './testing.ts';

const prefix = 'apiserver_envelope_encryption_';

test('calls of plugins are counted with how they ended, and so are keys and names that are none', async () => {
  await using plugin = await TestPlugin.start();
  const clock = new FakeClock();
  const kms = new KmsProviders({ onOtherKey: () => undefined, clock, log: silentLog });
  const provider = { kind: 'kms' as const, kms: { name: 'vault', endpoint: plugin.endpoint, timeoutMs: 1_000_000 } };
  const settings = [{ resources: [{ group: '', resource: 'secrets' }], providers: [provider] }];
  kms.rulesNow(settings);
  const ask = async (): Promise<void> => {
    await clock.advance(30_000);
    await kms.firstCheck();
  };
  await ask();
  plugin.rotate('');
  await ask();
  plugin.failure = 'the vault is sealed';
  await ask();
  const text = kms.metrics.families.map((family) => family.text()).join('');
  const counts = text.split('\n').filter((line) => /^[^#]/.test(line) && !/_bucket|_sum/.test(line));
  const call = (code: string, method: string): string =>
    `${prefix}kms_operations_latency_seconds_count{grpc_status_code="${code}",method_name="/v2.KeyManagementService/${method}",provider_name="vault"}`;
  expect(counts.sort()).toEqual(
    [
      `${prefix}dek_source_cache_size{provider_name="vault"} 1`,
      `${prefix}invalid_key_id_from_status_total{error="empty",provider_name="vault"} 1`,
      `${call('OK', 'Status')} 2`,
      `${call('OK', 'Encrypt')} 1`,
      `${call('Internal', 'Status')} 1`,
    ].sort(),
  );
  expect(text).toContain('le="0.0001"');
  kms.keepOnly([]);
});
