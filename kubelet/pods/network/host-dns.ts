// The node's own resolv.conf, from which pods of the policy Default take all and those of the cluster take the domains that are searched.
import { readFile } from 'node:fs/promises';
import type { DnsSettings } from '../../runtime/contract.ts';
import { maxSearchChars, maxSearches, parseResolvConf } from './dns.ts';

const stubResolver = '127.0.0.53';
const behindStub = '/run/systemd/resolve/resolv.conf';

/** Behind a local stub that pods cannot reach, what the stub asks. Undefined for no path. Throws where the file is missing or says nothing sound. */
export async function readHostDns(path: string): Promise<DnsSettings | undefined> {
  if (path === '') return undefined;
  const own = parseResolvConf(await readText(path));
  if (!own.servers.every((server) => server === stubResolver)) return own;
  const behind = parseResolvConf(await readText(behindStub).catch(() => ''));
  return behind.servers.length > 0 ? behind : own;
}

/** What an event of the node says of such a file when the kubelet starts; undefined: nothing. */
export async function hostDnsProblem(path: string, clusterDomain: string): Promise<string | undefined> {
  if (path === '') return undefined;
  try {
    return tooMuch(path, parseResolvConf(await readText(path)).searches, clusterDomain);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function tooMuch(path: string, searches: readonly string[], clusterDomain: string): string | undefined {
  // The cluster's own come first, where it has a domain.
  const most = clusterDomain === '' ? maxSearches : maxSearches - 3;
  const file = `Resolv.conf file '${path}' contains search line`;
  if (searches.length > most) return `${file} consisting of more than ${most} domains!`;
  return searches.join(' ').length > maxSearchChars ? `${file} which length is more than allowed ${maxSearchChars} chars!` : undefined;
}

async function readText(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'ENOENT' ? 'no such file or directory' : error.message;
    throw new Error(`open ${path}: ${why}`, { cause: error });
  });
}
