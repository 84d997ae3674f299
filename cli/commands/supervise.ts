import { statSync } from 'node:fs';
import { parseFlags, stringFlag } from '#base/flags.ts';
import { runServices, UsageError } from '#base/lifecycle.ts';
import { components } from '../cluster/components.ts';
import { Layout } from '../cluster/layout.ts';
import { baseObjectsKeeper } from '../supervisor/base-objects-keeper.ts';
import { findRunning, forget, recordSelf } from '../supervisor/process-table.ts';
import { Supervisor } from '../supervisor/supervisor.ts';
import type { CommandContext } from './context.ts';

/** `coxswain supervise`: what `up` leaves running in the background. Not for people. */
export async function supervise({ argv, signal, clock, log, bundleDir }: CommandContext): Promise<void> {
  const { values } = parseFlags('coxswain supervise', { 'data-dir': stringFlag('', 'Folder of the cluster') }, argv);
  const layout = new Layout(values['data-dir']);
  const config = layout.readConfig();
  if (config === undefined) throw new UsageError(`no cluster in ${JSON.stringify(layout.dataDir)}`);
  if (findRunning(layout, 'supervisor') !== undefined) throw new UsageError('another supervisor runs already', { exitCode: 1 });
  recordSelf(layout, 'supervisor', clock.nowMs());
  const supervisor = new Supervisor({
    layout,
    components: () => components(layout, layout.readConfig() ?? config, bundleDir),
    // `up` writes the settings anew each time, after whatever else it changed.
    revision: () => String(statSync(layout.config, { throwIfNoEntry: false })?.mtimeMs),
    clock,
    log,
  });
  const keeper = baseObjectsKeeper({ layout, config: () => layout.readConfig() ?? config, clock, log });
  await runServices(signal, [supervisor, keeper]);
  forget(layout, 'supervisor');
}
