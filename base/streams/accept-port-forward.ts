import type { PortForwardSession, StreamOptions, Upgrade } from './session.ts';
import { acceptSpdyPortForward } from './spdy-port-forward.ts';
import { refuseUpgrade, upgradeKind } from './upgrade.ts';
import { acceptWebSocketPortForward } from './websocket-port-forward.ts';

/**
 * Turns an upgrade request into a port-forward session. `ports` are those of the query: only old WebSocket clients state them
 * there, all others name a port for each connection. Undefined when it was refused. Owns the socket from the call on.
 */
export async function acceptPortForward(
  upgrade: Upgrade,
  ports: readonly number[],
  options: StreamOptions,
  signal: AbortSignal,
): Promise<PortForwardSession | undefined> {
  switch (upgradeKind(upgrade.request)) {
    case 'spdy':
      return acceptSpdyPortForward(upgrade, options, signal);
    case 'websocket':
      return acceptWebSocketPortForward(upgrade, ports, options, signal);
    case 'none':
      refuseUpgrade(upgrade, '400 Bad Request', 'unable to upgrade: missing upgrade headers in request');
      return undefined;
  }
}
