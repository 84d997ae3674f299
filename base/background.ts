import { runServices, type Service } from './lifecycle.ts';

/** Services that start in their order, while those that come after them do not wait: for what needs a server that may not be there. */
export function inBackground(name: string, services: readonly Service[]): Service {
  return {
    name,
    run: async (signal, ready) => {
      ready();
      await runServices(signal, services);
    },
  };
}
