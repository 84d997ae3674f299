import { builtinKinds } from '#api/kinds.ts';
import { systemClock } from '#base/clock.ts';
import { FileWatch } from '#base/file-watch.ts';
import { runMain, runServices, UsageError } from '#base/lifecycle.ts';
import { certificateFiles, parseConfig } from './config.ts';
import { createApiServer } from './server.ts';
import { StoreError } from './storage/contract.ts';
import { openStore } from './storage/open.ts';

await runMain('kube-apiserver', async ({ argv, signal, log }) => {
  const settings = parseConfig(argv);
  await using store = await openStore(settings.storage, { clock: systemClock, log }, signal).catch(refuse);
  const server = createApiServer({ settings, store, kinds: builtinKinds, clock: systemClock, log });
  const renewal = new FileWatch({
    paths: certificateFiles(argv),
    onChange: () => server.renew(parseConfig(argv)),
    clock: systemClock,
    log,
  });
  await runServices(signal, [server, renewal], () => log.info({ port: server.port }, 'serving'));
});

/** A store that cannot be opened is for the user to mend: one sentence. */
function refuse(error: unknown): never {
  throw error instanceof StoreError ? new UsageError(error.message, { exitCode: 1, cause: error }) : error;
}
