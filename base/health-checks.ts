// What /livez, /readyz and /healthz say, as upstream words it, and the metrics of /metrics/slis.
import { CounterCells } from './metric-cells.ts';

type HealthPage = 'healthz' | 'livez' | 'readyz';

/** One thing that must hold for a process to be well. */
export interface HealthCheck {
  /** Such as `ping` or `poststarthook/rbac/bootstrap-roles`. */
  readonly name: string;
  /** Where it counts; /healthz counts what /livez does, too. */
  readonly on: readonly HealthPage[];
  /** True, or what is wrong; asked for one page. */
  readonly check: (page?: HealthPage) => true | string | Promise<true | string>;
}

/** What a probe is answered. */
interface HealthAnswer {
  readonly status: 200 | 404 | 500;
  readonly text: string;
}

const page = /^\/(livez|readyz|healthz)(?:\/(.+))?$/;

/** Checks that lie behind pages, with a page for each. */
export class HealthChecks {
  readonly #checks: readonly HealthCheck[];
  readonly #results = new CounterCells('kubernetes_healthchecks_total', '[STABLE] This metric records the results of all healthcheck.', [
    'name',
    'status',
    'type',
  ]);
  readonly #latest = new CounterCells(
    'kubernetes_healthcheck',
    '[STABLE] This metric records the result of a single healthcheck.',
    ['name', 'type'],
    'gauge',
  );

  constructor(checks: readonly HealthCheck[]) {
    this.#checks = checks;
  }

  owns(path: string): boolean {
    return page.test(path);
  }

  /** Every path it answers. */
  paths(): string[] {
    const pages: readonly HealthPage[] = ['healthz', 'livez', 'readyz'];
    return pages.flatMap((name) => [`/${name}`, ...this.#on(name).map((check) => `/${name}/${check.name}`)]);
  }

  /** What /metrics/slis shows: results of the checks of full health requests. */
  text(): string {
    return this.#latest.text() + this.#results.text();
  }

  /** Serves a path that it owns. The reason of a failure is shown only on the page of the check itself. */
  async answer(path: string, query: { readonly excluded: readonly string[]; readonly isVerbose: boolean }): Promise<HealthAnswer> {
    const [, name = 'healthz', single] = page.exec(path) ?? [];
    const checks = this.#on(name as HealthPage);
    if (single === undefined) return await this.#whole(name as HealthPage, checks, query);
    const check = checks.find((one) => one.name === single);
    if (check === undefined) return { status: 404, text: '404 page not found\n' };
    const result = await check.check(name as HealthPage);
    return result === true ? { status: 200, text: 'ok' } : { status: 500, text: `internal server error: ${result}\n` };
  }

  async #whole(
    name: HealthPage,
    checks: readonly HealthCheck[],
    query: { readonly excluded: readonly string[]; readonly isVerbose: boolean },
  ): Promise<HealthAnswer> {
    const excluded = new Set(query.excluded);
    const lines: string[] = [];
    let failed = false;
    for (const check of checks) {
      if (excluded.delete(check.name)) {
        lines.push(`[+]${check.name} excluded: ok`);
        continue;
      }
      const isWell = (await check.check(name)) === true;
      this.#observe(check.name, name, isWell);
      failed ||= !isWell;
      lines.push(isWell ? `[+]${check.name} ok` : `[-]${check.name} failed: reason withheld`);
    }
    if (excluded.size > 0) {
      const names = [...excluded].sort().map((one) => JSON.stringify(one));
      lines.push(`warn: some health checks cannot be excluded: no matches for ${names.join(',')}`);
    }
    if (failed) return { status: 500, text: `${lines.join('\n')}\n${name} check failed\n` };
    return { status: 200, text: query.isVerbose ? `${lines.join('\n')}\n${name} check passed\n` : 'ok' };
  }

  #observe(name: string, type: HealthPage, isWell: boolean): void {
    this.#results.cell([name, isWell ? 'success' : 'error', type]).value++;
    this.#latest.cell([name, type]).value = isWell ? 1 : 0;
  }

  #on(name: HealthPage): HealthCheck[] {
    return this.#checks.filter(({ on }) => on.includes(name) || (name === 'healthz' && on.includes('livez')));
  }
}
