import type { HealthChecks } from '#base/health-checks.ts';
import { metricsType } from '#base/metrics.ts';
import type { Exchange } from './exchange.ts';
import { sendBytes, sendText } from './respond.ts';
import type { Pages } from './router.ts';

const slis = '/metrics/slis';

/** Serves the pages of health checks, and how these went. */
export function healthPages(checks: HealthChecks): Pages {
  return {
    owns: (path) => path === slis || checks.owns(path),
    paths: () => [...checks.paths(), slis],
    serve: async (exchange: Exchange) => {
      const { info, query } = exchange;
      if (!checks.owns(info.path)) return sendBytes(exchange, 200, metricsType, Buffer.from(checks.text()));
      const asked = { excluded: query.getAll('exclude'), isVerbose: query.get('verbose') !== undefined };
      const { status, text } = await checks.answer(info.path, asked);
      sendText(exchange, status, text);
    },
  };
}
