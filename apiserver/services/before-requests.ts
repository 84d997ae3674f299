// What the first request waits for: roles, addresses that are taken, who may what. Where values can be neither read nor written, as while a KMS
// plugin is away, some of that cannot be had, and the server listens all the same after a while: health pages tell why, and requests fail for what
// nobody can read. All of it goes on, and the server is ready once it is done.
import type { Clock } from '#base/clock.ts';
import type { HealthCheck } from '#base/health-checks.ts';
import { runServices, type Service } from '#base/lifecycle.ts';

/** Long enough for what needs nothing of what cannot be read. */
const patienceMs = 5_000;

interface BeforeRequestsDeps {
  /** What must hold for values to be read and written. */
  readonly checks: readonly HealthCheck[];
  readonly clock: Clock;
}

/** A service that counts as ready once it is, or when there is no use in waiting for it. */
export function beforeRequests(service: Service, { checks, clock }: BeforeRequestsDeps): Service {
  const waits = async (signal: AbortSignal): Promise<boolean> => {
    const results = await Promise.all(checks.map(async ({ check }) => await check()));
    if (results.every((result) => result === true)) return false;
    await clock.sleep(patienceMs, signal);
    return true;
  };
  return {
    name: service.name,
    run: async (signal, ready) => {
      void waits(signal).then(
        (isOver) => isOver && ready(),
        () => undefined,
      );
      await service.run(signal, ready);
    },
  };
}

/** Several services as one. */
export function inOrder(name: string, services: readonly Service[]): Service {
  return { name, run: (signal, ready) => runServices(signal, services, ready) };
}
