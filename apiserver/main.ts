import { builtinKinds } from '#api/kinds.ts';
import { systemClock } from '#base/clock.ts';
import { FileWatch } from '#base/file-watch.ts';
import { runMain, runServices, type Service, UsageError } from '#base/lifecycle.ts';
import { DebugPages } from '#base/profiling/debug-pages.ts';
import { certificateFiles, parseConfig, prepareServing, reloadedSealing } from './config.ts';
import { createApiServer } from './server.ts';
import { StoreError } from './storage/contract.ts';
import { Sealing } from './storage/encryption/sealing.ts';
import { openStore } from './storage/open.ts';

await runMain('kube-apiserver', async ({ argv, signal, log, logLevel }) => {
  await prepareServing(argv, { nowMs: systemClock.nowMs(), log });
  const settings = parseConfig(argv);
  const deps = { clock: systemClock, log };
  await using opened = await openStore(settings.storage, deps, signal).catch(asUsageError);
  const kinds = builtinKinds;
  const sealing =
    settings.sealing && (await Sealing.start({ settings: settings.sealing, reload: reloadedSealing(argv), store: opened, kinds, ...deps }));
  const { store, checks, keepers } = sealing ?? { store: opened, checks: [], keepers: [] };
  const debug = new DebugPages({ clock: systemClock, logLevel, hasProfiles: settings.hasProfiles, argv: ['kube-apiserver', ...argv] });
  const server = createApiServer({ settings, store, checks, kinds, debug, ...deps });
  for (const family of sealing?.families ?? []) server.metrics.add(family);
  const renewal = new FileWatch({ paths: certificateFiles(argv), onChange: () => server.renew(parseConfig(argv)), ...deps });
  const services: readonly Service[] = [...keepers, server, renewal];
  await runServices(signal, services, () => log.info({ port: server.port }, 'serving')).catch(asUsageError);
});

/** A store that cannot be opened or read is the operator's to repair: reports one sentence without a stack trace. */
function asUsageError(error: unknown): never {
  throw error instanceof StoreError ? new UsageError(error.message, { exitCode: 1, cause: error }) : error;
}
