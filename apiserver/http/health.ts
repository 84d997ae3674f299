import type { Exchange } from './exchange.ts';
import { sendText } from './respond.ts';

/** One thing that must hold for the server to be well. */
export interface HealthCheck {
  readonly name: string;
  /** Where it counts; /healthz counts what /livez does. */
  readonly on: readonly ('livez' | 'readyz')[];
  /** True, or what is wrong. */
  readonly check: () => true | string | Promise<true | string>;
}

const page = /^\/(livez|readyz|healthz)(?:\/(.+?))?\/?$/;

/** Serves /livez, /readyz and /healthz with their checks, in upstream's words. */
export class HealthPages {
  readonly #checks: readonly HealthCheck[];

  constructor(checks: readonly HealthCheck[]) {
    this.#checks = checks;
  }

  owns(path: string): boolean {
    return page.test(path);
  }

  /** Every path it answers, for the index at `/`. */
  paths(): string[] {
    return ['healthz', 'livez', 'readyz'].flatMap((name) => [`/${name}`, ...this.#on(name).map((check) => `/${name}/${check.name}`)]);
  }

  async serve(exchange: Exchange): Promise<void> {
    const [, name = '', single] = page.exec(exchange.info.path) ?? [];
    const checks = this.#on(name);
    if (single !== undefined) {
      const check = checks.find((one) => one.name === single);
      if (check === undefined) return sendText(exchange, 404, '404 page not found\n');
      const result = await check.check();
      return result === true ? sendText(exchange, 200, 'ok') : sendText(exchange, 500, `internal server error: ${result}\n`);
    }
    const excluded = new Set(exchange.query.getAll('exclude'));
    const lines: string[] = [];
    let failed = false;
    for (const check of checks) {
      if (excluded.delete(check.name)) {
        lines.push(`[+]${check.name} excluded: ok`);
        continue;
      }
      const isWell = (await check.check()) === true;
      failed ||= !isWell;
      lines.push(isWell ? `[+]${check.name} ok` : `[-]${check.name} failed: reason withheld`);
    }
    if (excluded.size > 0) {
      lines.push(
        `warn: some health checks cannot be excluded: no matches for ${[...excluded]
          .sort()
          .map((one) => JSON.stringify(one))
          .join(',')}`,
      );
    }
    if (failed) return sendText(exchange, 500, `${lines.join('\n')}\n${name} check failed\n`);
    const isVerbose = exchange.query.get('verbose') !== undefined;
    return sendText(exchange, 200, isVerbose ? `${lines.join('\n')}\n${name} check passed\n` : 'ok');
  }

  #on(name: string): HealthCheck[] {
    const where = name === 'readyz' ? 'readyz' : 'livez';
    return this.#checks.filter((check) => check.on.includes(where));
  }
}
