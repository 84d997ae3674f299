// Links of proxied pages. A page below `/api/v1/…/proxy/` that links to `/style.css` means a page of its own server, so what starts
// with a slash, or names that server, gets the path of the proxy in front; so does the Location of a redirect. Which attributes
// of which tags are links is upstream's table (apimachinery/pkg/util/proxy/transport.go).
import { Transform, type TransformCallback } from 'node:stream';
import { posix } from 'node:path';

export interface LinkRules {
  /** What stands in front of the page's own path, such as `/api/v1/namespaces/default/pods/web/proxy`. */
  readonly prefix: string;
  /** `host:port` that was dialled. */
  readonly targetHost: string;
  /** The Host header of the request. */
  readonly requestHost: string;
}

const linkAttributes: Readonly<Record<string, readonly string[]>> = {
  a: ['href'],
  applet: ['codebase'],
  area: ['href'],
  audio: ['src'],
  base: ['href'],
  blockquote: ['cite'],
  body: ['background'],
  button: ['formaction'],
  command: ['icon'],
  del: ['cite'],
  embed: ['src'],
  form: ['action'],
  frame: ['longdesc', 'src'],
  head: ['profile'],
  html: ['manifest'],
  iframe: ['longdesc', 'src'],
  img: ['longdesc', 'src', 'usemap'],
  input: ['src', 'usemap', 'formaction'],
  ins: ['cite'],
  link: ['href'],
  object: ['classid', 'codebase', 'data', 'usemap'],
  q: ['cite'],
  script: ['src'],
  source: ['src'],
  video: ['poster', 'src'],
};

/** Elements whose content is text up to their end tag, whatever it looks like. */
const textElements = new Set(['script', 'style', 'textarea', 'title', 'iframe', 'noembed', 'noframes', 'noscript', 'xmp']);
/** A tag that is longer is no tag. */
const maxTagBytes = 64 * 1_024;
const urlParts = /^(?:([a-z][a-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(.*)$/is;
const attribute = /([^\s"'<>/=]+)(\s*=\s*)(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+))/g;

/** A link as the client has to follow it; unchanged where it leads elsewhere, is relative or already has the prefix. */
export function rewriteLink(link: string, { prefix, targetHost, requestHost }: LinkRules): string {
  const [, scheme = '', host = '', path = '', rest = ''] = urlParts.exec(link) ?? [];
  const isOther = host !== '' && host !== targetHost && host !== requestHost;
  if (isOther || !path.startsWith('/')) return link;
  const origin = host !== '' && host === requestHost ? `${scheme === '' ? '' : `${scheme}:`}//${host}` : '';
  if (path.startsWith(prefix)) return `${origin}${path}${rest}`;
  const joined = posix.join(prefix, path);
  return `${origin}${path.endsWith('/') && !joined.endsWith('/') ? `${joined}/` : joined}${rest}`;
}

/** Rewrites the links of a page that streams through; everything else passes byte for byte. */
export class LinkRewriter extends Transform {
  readonly #rules: LinkRules;
  #rest = '';
  /** The element whose end alone ends its text, '' outside of such. */
  #inside = '';

  constructor(rules: LinkRules) {
    super();
    this.#rules = rules;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    // Bytes as characters: every encoding that extends ASCII comes through unharmed.
    this.#rest += chunk.toString('latin1');
    this.#take();
    done();
  }

  override _flush(done: TransformCallback): void {
    this.#send(this.#rest);
    done();
  }

  /** Sends what is complete: text, and tags up to the last whole one. */
  #take(): void {
    const text = this.#rest;
    let at = 0;
    while (at < text.length) {
      const open = text.indexOf('<', at);
      if (open < 0) {
        this.#send(text.slice(at));
        at = text.length;
        break;
      }
      const end = this.#inside === '' ? endOfTag(text, open) : endOfText(text, open, this.#inside);
      if (end === undefined && text.length - open < maxTagBytes) {
        this.#send(text.slice(at, open));
        at = open;
        break;
      }
      const past = end ?? open + 1;
      this.#send(text.slice(at, open));
      this.#tag(text.slice(open, past));
      at = past;
    }
    this.#rest = text.slice(at);
  }

  #tag(text: string): void {
    if (this.#inside !== '') {
      if (text.startsWith('</')) this.#inside = '';
      this.#send(text);
      return;
    }
    const name = /^<([a-z][a-z0-9]*)/i.exec(text)?.[1]?.toLowerCase() ?? '';
    if (textElements.has(name) && !text.endsWith('/>')) this.#inside = name;
    const links = Object.hasOwn(linkAttributes, name) ? linkAttributes[name] : undefined;
    this.#send(links === undefined ? text : rewriteTag(text, links, this.#rules));
  }

  #send(text: string): void {
    if (text !== '') this.push(Buffer.from(text, 'latin1'));
  }
}

function rewriteTag(tag: string, links: readonly string[], rules: LinkRules): string {
  return tag.replace(attribute, (whole: string, name: string, equals: string, double?: string, single?: string, bare?: string) => {
    if (!links.includes(name.toLowerCase())) return whole;
    const given = double ?? single ?? bare ?? '';
    const link = given.replaceAll('&amp;', '&');
    const next = rewriteLink(link, rules);
    return next === link ? whole : `${name}${equals}"${next.replaceAll('&', '&amp;').replaceAll('"', '&#34;')}"`;
  });
}

/** Where a tag, comment or declaration that begins at `open` ends; undefined where more is needed. A lone `<` is itself. */
function endOfTag(text: string, open: number): number | undefined {
  if (open + 1 >= text.length) return undefined;
  if (!/[a-z/!?]/i.test(text[open + 1] ?? '')) return open + 1;
  if (text.startsWith('<!--', open)) return past(text, '-->', open + 4);
  if ('<!--'.startsWith(text.slice(open, open + 4)) && text.length < open + 4) return undefined;
  let quote = '';
  for (let at = open + 1; at < text.length; at++) {
    const char = text[at] ?? '';
    if (quote !== '') {
      if (char === quote) quote = '';
    } else if (char === '>') return at + 1;
    else if (char === '"' || char === "'") quote = char;
  }
  return undefined;
}

/** Inside a text element only its own end tag counts. */
function endOfText(text: string, open: number, element: string): number | undefined {
  const wanted = `</${element}`;
  const there = text.slice(open, open + wanted.length).toLowerCase();
  if (there === wanted) return past(text, '>', open);
  return wanted.startsWith(there) && open + there.length === text.length ? undefined : open + 1;
}

function past(text: string, end: string, from: number): number | undefined {
  const at = text.indexOf(end, from);
  return at < 0 ? undefined : at + end.length;
}
