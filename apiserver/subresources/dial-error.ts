const dialProblems: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'i/o timeout',
};

/** Why a connection did not come about, as Go's client words it. */
export function dialErrorText(error: NodeJS.ErrnoException & { address?: string; port?: number }): string {
  const { address = '', port, code = '' } = error;
  const why = dialProblems[code];
  const where = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  return code === 'ECONNRESET' ? 'EOF' : why === undefined || address === '' ? error.message : `dial tcp ${where}: ${why}`;
}
