// A runtime that counts what is asked of it, under the names that upstream's runtime interface (CRI) has for the same operations. It adds
// nothing else: answers, failures and streams pass through as they are.
import type { Clock } from '#base/clock.ts';
import { CounterCells, HistogramCells, kept } from '#base/metric-cells.ts';
import type { Metrics } from '#base/metrics.ts';
import type { Runtime } from '../runtime/contract.ts';
import type { ImageStore } from '../runtime/image-contract.ts';

/** 5 ms, and each bound 2.5 times the last. */
const bounds = Array.from({ length: 14 }, (_, at) => 0.005 * 2.5 ** at);

type Count = <T>(operation: string, run: () => Promise<T>) => Promise<T>;

/** The same runtime, counted in `metrics`. */
export function countedRuntime(runtime: Runtime, metrics: Metrics, clock: Clock): Runtime {
  const count = counter(metrics, clock);
  return {
    images: countedImages(runtime.images, count),
    info: (...all) => count('version', () => runtime.info(...all)),
    health: (...all) => count('status', () => runtime.health(...all)),
    setPodCidrs: (...all) => count('update_runtime_config', () => runtime.setPodCidrs(...all)),
    pods: (...all) => count('list_containers', () => runtime.pods(...all)),
    podStatus: (...all) => count('podsandbox_status', () => runtime.podStatus(...all)),
    events: (signal) => runtime.events(signal),
    createSandbox: (...all) => count('run_podsandbox', () => runtime.createSandbox(...all)),
    stopSandbox: (...all) => count('stop_podsandbox', () => runtime.stopSandbox(...all)),
    removeSandbox: (...all) => count('remove_podsandbox', () => runtime.removeSandbox(...all)),
    createContainer: (...all) => count('create_container', () => runtime.createContainer(...all)),
    startContainer: (...all) => count('start_container', () => runtime.startContainer(...all)),
    stopContainer: (...all) => count('stop_container', () => runtime.stopContainer(...all)),
    removeContainer: (...all) => count('remove_container', () => runtime.removeContainer(...all)),
    updateResources: (...all) => count('update_container', () => runtime.updateResources(...all)),
    exec: (...all) => count('exec', () => runtime.exec(...all)),
    execSync: (...all) => count('exec_sync', () => runtime.execSync(...all)),
    attach: (...all) => count('attach', () => runtime.attach(...all)),
    logs: (...all) => runtime.logs(...all),
    portForward: (...all) => count('port_forward', () => runtime.portForward(...all)),
    usage: (...all) => count('list_container_stats', () => runtime.usage(...all)),
    storage: (...all) => count('container_stats', () => runtime.storage(...all)),
  };
}

function countedImages(images: ImageStore, count: Count): ImageStore {
  return {
    list: (...all) => count('list_images', () => images.list(...all)),
    find: (...all) => count('image_status', () => images.find(...all)),
    layers: (...all) => count('image_fs_info', () => images.layers(...all)),
    pull: (...all) => count('pull_image', () => images.pull(...all)),
    remove: (...all) => count('remove_image', () => images.remove(...all)),
  };
}

function counter(metrics: Metrics, clock: Clock): Count {
  const labels = ['operation_type'];
  const family = (name: string, help: string): ((...values: string[]) => { value: number }) =>
    kept(metrics.add(new CounterCells(`kubelet_runtime_operations_${name}`, `[ALPHA] ${help}`, labels)));
  const total = family('total', 'Cumulative number of runtime operations by operation type.');
  const errors = family('errors_total', 'Cumulative number of runtime operation errors by operation type.');
  const help = '[ALPHA] Duration in seconds of runtime operations. Broken down by operation type.';
  const took = kept(metrics.add(new HistogramCells('kubelet_runtime_operations_duration_seconds', help, bounds, labels)));
  return async (operation, run) => {
    const startMs = clock.monotonicMs();
    total(operation).value++;
    try {
      return await run();
    } catch (error) {
      errors(operation).value++;
      throw error;
    } finally {
      took(operation).observe((clock.monotonicMs() - startMs) / 1_000);
    }
  };
}
