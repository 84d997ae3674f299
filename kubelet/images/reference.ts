// Image references: `[registry[:port]/]path[:tag][@digest]`. Pure.

export interface ImageReference {
  /** `docker.io` where the text names none. */
  readonly registry: string;
  /** `library/nginx`. */
  readonly path: string;
  /** `latest` where the text has neither tag nor digest. */
  readonly tag: string | undefined;
  readonly digest: string | undefined;
  /** The text with its default tag: what to ask the engine for. */
  readonly text: string;
}

/** A text that is no image reference. The message is upstream's. */
export class InvalidReference extends Error {
  override readonly name = 'InvalidReference';
}

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const pathPattern = new RegExp(`^${component}(?:/${component})*$`);
const domainPattern =
  /^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?$/;
const tagPattern = /^\w[\w.-]{0,127}$/;
const digestPattern = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
const maxPathLength = 255;

/** Takes a reference apart. Throws InvalidReference. */
export function parseReference(text: string): ImageReference {
  if (/^[a-f0-9]{64}$/.test(text)) refuse(text, `invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const named = at < 0 ? text : text.slice(0, at);
  if (digest !== undefined && !digestPattern.test(digest)) refuse(text, 'invalid reference format');
  const { domain, rest } = splitDomain(named);
  const colon = rest.lastIndexOf(':');
  const tag = colon < 0 ? undefined : rest.slice(colon + 1);
  const path = colon < 0 ? rest : rest.slice(0, colon);
  if (path !== path.toLowerCase() && pathPattern.test(path.toLowerCase())) {
    refuse(text, `invalid reference format: repository name (${domain === undefined ? `library/${path}` : path}) must be lowercase`);
  }
  const isValid = pathPattern.test(path) && (tag === undefined || tagPattern.test(tag));
  if (!isValid || (domain !== undefined && !domainPattern.test(domain))) refuse(text, 'invalid reference format');
  if (path.length > maxPathLength) refuse(text, 'repository name must not be more than 255 characters');
  const registry = domain === undefined || domain === 'index.docker.io' ? 'docker.io' : domain;
  const isShort = registry === 'docker.io' && !path.includes('/');
  const needsTag = tag === undefined && digest === undefined;
  return {
    registry,
    path: isShort ? `library/${path}` : path,
    tag: needsTag ? 'latest' : tag,
    digest,
    text: needsTag ? `${text}:latest` : text,
  };
}

/** The part before the first slash is a registry when it looks like a host. */
function splitDomain(named: string): { domain: string | undefined; rest: string } {
  const slash = named.indexOf('/');
  const first = named.slice(0, Math.max(0, slash));
  const isHost = slash > 0 && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase());
  return isHost ? { domain: first, rest: named.slice(slash + 1) } : { domain: undefined, rest: named };
}

function refuse(text: string, why: string): never {
  throw new InvalidReference(`couldn't parse image name ${JSON.stringify(text)}: ${why}`);
}
