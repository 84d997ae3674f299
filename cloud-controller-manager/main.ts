import { systemClock as clock } from '#base/clock.ts';
import { runMain, UsageError } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { reasonOf } from '#base/write-file.ts';
import { runComponent } from '#client/run-component.ts';
import { PlainCloud } from './cloud/plain-cloud.ts';
import { cloudControllerManager } from './cloud-controller-manager.ts';
import { type CloudConfig, parseConfig } from './config.ts';

const component = 'cloud-controller-manager';

await runMain(component, async ({ argv, env, signal, log, logLevel }) => {
  const config = parseConfig(argv, env);
  const cloud = openCloud(config, log);
  await runComponent(component, config, { signal, clock, log, logLevel, argv }, ({ sender, ...tools }) => {
    const { cluster, loops } = cloudControllerManager({ ...config, ...tools, cloud, events: (name) => sender.recorder(name), clock, log });
    return { cluster, work: loops };
  });
});

function openCloud({ cloudConfig }: CloudConfig, log: Log): PlainCloud {
  try {
    return new PlainCloud(cloudConfig, log);
  } catch (error) {
    throw new UsageError(`--cloud-config=${cloudConfig}: ${reasonOf(error)}`, { cause: error });
  }
}
