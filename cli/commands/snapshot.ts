import { resolve } from 'node:path';
import { revisionsPerCommit } from '#apiserver/storage/etcd/commit-place.ts';
import { SnapshotFile, writeSnapshot } from '#apiserver/storage/snapshot/snapshot-file.ts';
import { stateOf } from '#apiserver/storage/snapshot/transfer.ts';
import { etcdConfig, etcdFlags, type StorageConfig } from '#apiserver/storage-config.ts';
import { parseFlags, stringFlag } from '#base/flags.ts';
import { UsageError } from '#base/lifecycle.ts';
import { Layout } from '../cluster/layout.ts';
import type { CommandContext } from './context.ts';
import { defaultDataDir } from './options.ts';
import { fillEmpty, nameOf, openSource } from './store-access.ts';

/**
 * How many revisions may have been given out after a snapshot, at most: clients have seen them, and none may be given out again. A thousand
 * million commits of etcd.
 */
const revisionsSince = 1_000_000_000 * revisionsPerCommit;

const flags = {
  ...etcdFlags,
  'data-dir': stringFlag(defaultDataDir, 'Folder of the cluster whose embedded store is meant, where no etcd is given', {
    valueName: 'path',
  }),
};
const about =
  'save FILE writes all objects of a store to a new file; restore FILE writes them into an empty store, of either engine.\n' +
  'An embedded store must not be in use (coxswain down); when restoring, API servers must not run.';

/** `coxswain snapshot save|restore FILE`. */
export async function snapshot(context: CommandContext): Promise<void> {
  const { values, positional } = parseFlags('coxswain snapshot', flags, context.argv, about);
  const [action, file, ...rest] = positional;
  if ((action !== 'save' && action !== 'restore') || file === undefined || rest.length > 0) {
    throw new UsageError('what to do is needed: save FILE or restore FILE (see coxswain snapshot --help)');
  }
  const config: StorageConfig =
    values['etcd-servers'].length > 0 ? etcdConfig(values) : { engine: 'embedded', folder: new Layout(resolve(values['data-dir'])).store };
  await (action === 'save' ? save : restore)(context, config, file);
}

async function save(context: CommandContext, config: StorageConfig, file: string): Promise<void> {
  await using store = await openSource(context, config);
  const state = await stateOf(store, context.signal);
  const count = await context.steps.step(`objects are read from ${nameOf(config)}`, () =>
    writeSnapshot(file, state.revision, state.pages()),
  );
  context.print(`${count} objects of revision ${state.revision} are in ${file}.\n`);
}

async function restore(context: CommandContext, config: StorageConfig, path: string): Promise<void> {
  using file = await context.steps.step(`${path} is whole`, () => SnapshotFile.open(path));
  const count = await fillEmpty(context, config, { revision: file.revision + revisionsSince, items: file.items() });
  context.print(`${count} objects of revision ${file.revision} are in ${nameOf(config)}.\n`);
}
