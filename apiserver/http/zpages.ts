import { type Zpage, type ZpagePath, zpagePaths, zpageType, zpageTypes } from '#base/zpages.ts';
import type { Exchange } from './exchange.ts';
import { notAcceptable } from './negotiate.ts';
import { sendText, sendValue } from './respond.ts';
import type { Pages } from './router.ts';

/** Serves /statusz and /flagz: text, or the object where a client names it in full. */
export function zpages(pages: Readonly<Record<ZpagePath, () => Zpage>>): Pages {
  return {
    owns: (path) => path in pages,
    paths: () => [...zpagePaths],
    serve: (exchange: Exchange) => {
      const path = exchange.info.path as ZpagePath;
      const type = zpageType(path, exchange.header('accept') ?? '');
      if (type === undefined) throw notAcceptable(zpageTypes);
      if (type === 'text/plain') return sendText(exchange, 200, pages[path]().text);
      sendValue(exchange, { encoding: type === 'application/json' ? 'json' : 'yaml' }, 200, pages[path]().object);
    },
  };
}
