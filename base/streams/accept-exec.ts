import type { ExecSession, ExecStreams, StreamOptions, Upgrade } from './session.ts';
import { acceptSpdyExec } from './spdy-exec.ts';
import { refuseUpgrade, upgradeKind } from './upgrade.ts';
import { acceptWebSocketExec } from './websocket-exec.ts';

/**
 * Turns an upgrade request into an exec or attach session, in whatever the client speaks. Undefined when it was refused: then the
 * client has its answer and the socket is closed. Owns the socket from the call on.
 */
export async function acceptExec(
  upgrade: Upgrade,
  streams: ExecStreams,
  options: StreamOptions,
  signal: AbortSignal,
): Promise<ExecSession | undefined> {
  const wanted = { ...streams, stderr: streams.stderr && !streams.tty };
  if (!wanted.stdin && !wanted.stdout && !wanted.stderr) {
    refuseUpgrade(upgrade, '400 Bad Request', 'you must specify at least 1 of stdin, stdout, stderr');
    return undefined;
  }
  switch (upgradeKind(upgrade.request)) {
    case 'spdy':
      return acceptSpdyExec(upgrade, wanted, options, signal);
    case 'websocket':
      return acceptWebSocketExec(upgrade, wanted, options, signal);
    case 'none':
      refuseUpgrade(upgrade, '400 Bad Request', 'unable to upgrade: missing upgrade headers in request');
      return undefined;
  }
}
