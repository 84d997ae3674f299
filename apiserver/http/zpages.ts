import { type Zpage, zpagesVersion } from '#base/zpages.ts';
import type { Exchange } from './exchange.ts';
import { encodingOf, type Encoding, notAcceptable, parseAccept } from './negotiate.ts';
import { sendText, sendValue } from './respond.ts';
import type { Pages } from './router.ts';

const forms = { '/statusz': 'Statusz', '/flagz': 'Flagz' } as const;
type Path = keyof typeof forms;

/** Serves /statusz and /flagz: text, or the object where a client names it in full. */
export function zpages(pages: Readonly<Record<Path, () => Zpage>>): Pages {
  return {
    owns: (path) => path in forms,
    paths: () => Object.keys(forms),
    serve: (exchange: Exchange) => {
      const path = exchange.info.path as Path;
      const encoding = wanted(exchange.header('accept') ?? '', forms[path]);
      if (encoding === undefined) throw notAcceptable(['application/json', 'application/yaml', 'text/plain']);
      if (encoding === 'text') return sendText(exchange, 200, pages[path]().text);
      sendValue(exchange, { encoding }, 200, pages[path]().object);
    },
  };
}

/** Plain application/json is refused, so that nobody takes an object for what the next release may not give. */
function wanted(accept: string, kind: string): Encoding | 'text' | undefined {
  if (accept.trim() === '') return 'text';
  for (const { type, params } of parseAccept(accept)) {
    if (params['as'] === undefined && (type === 'text/plain' || type === 'text/*' || type === '*/*')) return 'text';
    const encoding = encodingOf(type);
    if (encoding === undefined || encoding === 'protobuf') continue;
    if (params['as'] === kind && params['g'] === zpagesVersion.group && params['v'] === zpagesVersion.version) return encoding;
  }
  return undefined;
}
