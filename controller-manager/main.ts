import { systemClock as clock } from '#base/clock.ts';
import { runMain } from '#base/lifecycle.ts';
import { runComponent } from '#client/run-component.ts';
import { parseConfig } from './config.ts';
import { controllerManager } from './controller-manager.ts';

const component = 'kube-controller-manager';

await runMain(component, async ({ argv, env, signal, log, logLevel }) => {
  const config = parseConfig(argv, env);
  await runComponent(component, config, { signal, clock, log, logLevel, argv }, ({ sender, ...tools }) => {
    const { cluster, loops } = controllerManager({ ...config, ...tools, events: (name) => sender.recorder(name), clock, log });
    return { cluster, work: loops };
  });
});
