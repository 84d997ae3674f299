// URLs: absolute ones, or paths that begin with a slash.
import { declareFunctions } from '../declarations.ts';
import type { Library } from '../types.ts';

export function urlLibrary(): Library {
  return { functions: declareFunctions(urlFunctions), variables: [] };
}

const urlFunctions = `
getEscapedPath
  url_get_escaped_path: kubernetes.URL.() -> string
getHost
  url_get_host: kubernetes.URL.() -> string
getHostname
  url_get_hostname: kubernetes.URL.() -> string
getPort
  url_get_port: kubernetes.URL.() -> string
getQuery
  url_get_query: kubernetes.URL.() -> map(string, list(string))
getScheme
  url_get_scheme: kubernetes.URL.() -> string
isURL
  is_url_string: (string) -> bool
url
  string_to_url: (string) -> kubernetes.URL
`;
