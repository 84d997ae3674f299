// Port-forward over WebSocket, in two ways: the SPDY connection that kubectl would otherwise speak, carried in binary messages; or,
// by old clients, two channels (data and error) for each port of the query, which begin with the port's number.
import { createWebSocketStream } from 'ws';
import { Duplex } from 'node:stream';
import { Arrivals } from './arrivals.ts';
import type { PortForwardConnection, PortForwardSession, StreamOptions, Upgrade } from './session.ts';
import { portForwardProtocol, servePortForward } from './spdy-port-forward.ts';
import { refuseUpgrade } from './upgrade.ts';
import { WebSocketChannels } from './websocket-channels.ts';
import { acceptWebSocket } from './websocket-server.ts';

/** SPDY inside WebSocket. */
const tunnelProtocol = `SPDY/3.1+${portForwardProtocol}`;
const channelProtocols = ['v4.channel.k8s.io', 'v4.base64.channel.k8s.io', ''] as const;
/** Channels are numbered by a byte. */
const maxPorts = 100;

/** Accepts the upgrade. Undefined when that fails. */
export async function acceptWebSocketPortForward(
  upgrade: Upgrade,
  ports: readonly number[],
  options: StreamOptions,
  signal: AbortSignal,
): Promise<PortForwardSession | undefined> {
  const offersTunnel = (upgrade.request.headers['sec-websocket-protocol'] ?? '').includes(tunnelProtocol);
  if (!offersTunnel && (ports.length === 0 || ports.length > maxPorts)) {
    refuseUpgrade(upgrade, '400 Bad Request', ports.length === 0 ? 'query parameter "port" is required' : 'too many ports');
    return undefined;
  }
  const accepted = await acceptWebSocket(upgrade, offersTunnel ? [tunnelProtocol] : channelProtocols);
  if (accepted === undefined) return undefined;
  if (offersTunnel) {
    const duplex = createWebSocketStream(accepted.socket, { allowHalfOpen: false });
    return servePortForward(duplex, Buffer.alloc(0), options, signal);
  }
  const connection = new WebSocketChannels(accepted, options, signal);
  const arrivals = new Arrivals<PortForwardConnection>(maxPorts);
  let open = ports.length;
  const onEnd = (): void => {
    open -= 1;
    if (open === 0) void connection.close();
  };
  for (const [index, port] of ports.entries()) arrivals.push(channelPair(connection, index, port, onEnd));
  arrivals.end();
  return { connections: arrivals, closed: connection.closed, close: () => connection.terminate() };
}

/** A channel has no end of its own: once the pod has said everything, its connection is over, and the session with the last one. */
function channelPair(connection: WebSocketChannels, index: number, port: number, onEnd: () => void): PortForwardConnection {
  const [dataChannel, errorChannel] = [index * 2, index * 2 + 1];
  const number = Buffer.alloc(2);
  number.writeUInt16LE(port);
  connection.send(dataChannel, number);
  connection.send(errorChannel, number);
  const readable = connection.readable(dataChannel);
  const writable = connection.writable(dataChannel);
  writable.once('finish', () => {
    connection.listen(dataChannel, () => undefined);
    readable.push(null);
  });
  const data = Duplex.from({ readable, writable });
  data.on('error', () => undefined);
  data.once('close', onEnd);
  return {
    port,
    id: String(index),
    data,
    fail: (message) => {
      connection.send(errorChannel, Buffer.from(message));
      data.destroy();
    },
  };
}
