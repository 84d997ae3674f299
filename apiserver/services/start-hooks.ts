// What a server does after its start, as its health pages show it: under the names of upstream's post-start hooks, for those of them that
// have something real here.
import type { HealthCheck } from '#base/health-checks.ts';
import type { Service } from '#base/lifecycle.ts';

/** In upstream's order, with the checks that they are shown as. */
const hookChecks = {
  'generic-apiserver-start-informers': 'poststarthook/generic-apiserver-start-informers',
  'start-system-namespaces-controller': 'poststarthook/start-system-namespaces-controller',
  'start-cluster-authentication-info-controller': 'poststarthook/start-cluster-authentication-info-controller',
  'start-kube-apiserver-identity-lease-controller': 'poststarthook/start-kube-apiserver-identity-lease-controller',
  'start-kube-apiserver-identity-lease-garbage-collector': 'poststarthook/start-kube-apiserver-identity-lease-garbage-collector',
  'start-legacy-token-tracking-controller': 'poststarthook/start-legacy-token-tracking-controller',
  'start-service-ip-repair-controllers': 'poststarthook/start-service-ip-repair-controllers',
  'rbac/bootstrap-roles': 'poststarthook/rbac/bootstrap-roles',
  'scheduling/bootstrap-system-priority-classes': 'poststarthook/scheduling/bootstrap-system-priority-classes',
  'priority-and-fairness-config-producer': 'poststarthook/priority-and-fairness-config-producer',
  'bootstrap-controller': 'poststarthook/bootstrap-controller',
  'start-kubernetes-service-cidr-controller': 'poststarthook/start-kubernetes-service-cidr-controller',
  'kube-apiserver-autoregistration': 'poststarthook/kube-apiserver-autoregistration',
  'autoregister-completion': 'autoregister-completion',
} as const;

type StartHook = keyof typeof hookChecks;

/** Watches services become ready. */
export class StartHooks {
  /** How many services of a hook are not ready yet. */
  readonly #waiting = new Map<StartHook, number>();

  /** The service, whose readiness ends these hooks; a hook of several services waits for all of them. */
  of(service: Service, ...names: StartHook[]): Service {
    for (const name of names) this.#waiting.set(name, (this.#waiting.get(name) ?? 0) + 1);
    return {
      name: service.name,
      run: async (signal, ready) => {
        await service.run(signal, () => {
          for (const name of names.splice(0)) this.#waiting.set(name, (this.#waiting.get(name) ?? 1) - 1);
          ready();
        });
      },
    };
  }

  /** A check for each hook that has a service. `inGrace`: while that holds, /livez takes what is not done for done. */
  checks(inGrace: () => boolean): HealthCheck[] {
    return Object.entries(hookChecks).map(([hook, name]) => ({
      name,
      on: ['livez', 'readyz'],
      check: (page) => this.#waiting.get(hook as StartHook) === 0 || (page === 'livez' && inGrace()) || 'not finished',
    }));
  }
}
