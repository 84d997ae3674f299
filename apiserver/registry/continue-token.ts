import { badRequest } from '#api/meta/status.ts';
import { JsonError, parseJson } from '#api/schema/json.ts';

/** Where a paged list goes on: the revision of its first page (-1: whatever is newest), and the first key that is wanted. */
interface ContinueToken {
  readonly revision: number;
  /** Relative to what the list covers. */
  readonly start: string;
  /** How many objects lie from there on, where that is known: counting them anew costs as much as reading them. */
  readonly left?: number | undefined;
}

const version = 'meta.k8s.io/v1';

/** The token as clients carry it; opaque to them. */
export function encodeContinue({ revision, start, left }: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: version, rv: revision, start, left })).toString('base64url');
}

/** Reads a token. Throws BadRequest with upstream's words. */
export function decodeContinue(text: string): ContinueToken {
  const strange = text.search(/[^A-Za-z0-9_-]/);
  if (strange >= 0 || text.length % 4 === 1) {
    throw refused(`continue key is not valid: illegal base64 data at input byte ${strange >= 0 ? strange : text.length - 1}`);
  }
  const token = parse(Buffer.from(text, 'base64url'));
  if (token['v'] !== version) {
    throw refused(`continue key is not valid: server does not recognize this encoded version ${shown(token['v'])}`);
  }
  const { rv, start, left } = token;
  if (typeof rv !== 'number' || rv === 0) {
    throw refused(`continue key is not valid: incorrect encoded start resourceVersion (version ${version})`);
  }
  if (typeof start !== 'string' || start === '') {
    throw refused(`continue key is not valid: encoded start key empty (version ${version})`);
  }
  // A key that leads out of the list would read other resources.
  const isClean = start.split('/').every((part, at) => (part !== '' || at === 0) && part !== '.' && part !== '..');
  if (!isClean) throw refused(`continue key is not valid: ${start}`);
  return { revision: rv, start: start.replace(/^\//, ''), left: typeof left === 'number' ? left : undefined };
}

function parse(bytes: Uint8Array): Record<string, unknown> {
  try {
    const token: unknown = parseJson(bytes).value;
    return typeof token === 'object' && token !== null ? (token as Record<string, unknown>) : {};
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw refused(`continue key is not valid: ${error.message}`);
  }
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function refused(why: string): Error {
  return badRequest(`invalid continue token: ${why}`);
}
