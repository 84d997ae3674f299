import { resolve } from 'node:path';
import type { StoredValue } from '#apiserver/storage/contract.ts';
import { type StoreState, stateOf } from '#apiserver/storage/snapshot/transfer.ts';
import { etcdConfig, etcdFlags, type StorageConfig } from '#apiserver/storage-config.ts';
import { parseFlags, stringFlag } from '#base/flags.ts';
import { UsageError } from '#base/lifecycle.ts';
import { Layout } from '../cluster/layout.ts';
import type { CommandContext } from './context.ts';
import { defaultDataDir } from './options.ts';
import { fillEmpty, nameOf, openSource } from './store-access.ts';

const flags = {
  ...etcdFlags,
  'data-dir': stringFlag(defaultDataDir, 'Folder of the cluster whose embedded store is meant', { valueName: 'path' }),
};
const about =
  'to-etcd copies all objects of the embedded store into an etcd without any; from-etcd copies them back into a new embedded store.\n' +
  'No API server may run meanwhile. The source stays as it is, and revisions go on above its own.';

/** `coxswain migrate to-etcd|from-etcd`. */
export async function migrate(context: CommandContext): Promise<void> {
  const { values, positional } = parseFlags('coxswain migrate', flags, context.argv, about);
  const [direction, ...rest] = positional;
  if ((direction !== 'to-etcd' && direction !== 'from-etcd') || rest.length > 0) {
    throw new UsageError('a direction is needed: to-etcd or from-etcd (see coxswain migrate --help)');
  }
  if (values['etcd-servers'].length === 0) throw new UsageError('--etcd-servers is required');
  const embedded: StorageConfig = { engine: 'embedded', folder: new Layout(resolve(values['data-dir'])).store };
  const etcd = etcdConfig(values);
  const [from, to] = direction === 'to-etcd' ? [embedded, etcd] : [etcd, embedded];

  await using source = await openSource(context, from);
  const state = await stateOf(source, context.signal);
  const count = await fillEmpty(context, to, { revision: state.revision, items: each(state) });
  const { revision } = await stateOf(source, context.signal);
  // An embedded store is ours alone meanwhile; what it does by itself is to remove what has outlived its time.
  if (!source.isSoleWriter && revision !== state.revision) {
    throw new UsageError(`${nameOf(from)} was written to meanwhile: stop the API servers, empty ${nameOf(to)} and repeat`, {
      exitCode: 1,
    });
  }
  context.print(`${count} objects of revision ${state.revision} are in ${nameOf(to)} now.\n`);
}

async function* each({ pages }: StoreState): AsyncGenerator<StoredValue, void, undefined> {
  for await (const page of pages()) yield* page;
}
