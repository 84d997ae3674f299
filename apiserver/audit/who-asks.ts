// Where a request comes from, by its connection and headers.
import { isIP } from 'node:net';
import type { Exchange } from '../http/exchange.ts';

const maxAgentLength = 1_024;

/** What the client calls itself; cut off where it is very long. */
export function userAgent(exchange: Exchange): string {
  const text = exchange.header('user-agent') ?? '';
  return text.length > maxAgentLength ? `${text.slice(0, maxAgentLength)}...TRUNCATED` : text;
}

/** The addresses that proxies name, and at the end the one that was really seen. */
export function sourceIps(exchange: Exchange): string[] {
  const found: string[] = [];
  const forwarded = exchange.header('x-forwarded-for');
  if (forwarded !== undefined) {
    for (const part of forwarded.split(',')) if (isIP(part.trim()) !== 0) found.push(plain(part.trim()));
  }
  const real = exchange.header('x-real-ip')?.trim();
  if (real !== undefined && isIP(real) !== 0 && !found.includes(plain(real))) found.push(plain(real));
  const { remoteAddress } = exchange.request.socket as { readonly remoteAddress?: string };
  if (remoteAddress !== undefined && found.at(-1) !== plain(remoteAddress)) found.push(plain(remoteAddress));
  return found;
}

/** IPv4 addresses in the form of IPv6 are what they are. */
function plain(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address;
}
