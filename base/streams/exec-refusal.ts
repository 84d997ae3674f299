// An exec or attach that is refused after the client has been taken on. Whoever stands between a WebSocket client and the node learns
// only from the node that nothing can be run; from v5 on such a client hears it as the outcome of its session, as if it had begun.
import { execStatusText } from './exec-status.ts';
import type { Upgrade } from './session.ts';
import { acceptWebSocket } from './websocket-server.ts';

const protocol = 'v5.channel.k8s.io';
const errorChannel = 3;

/** Whether the client speaks a protocol whose sessions end with a Status even where they never began. */
export function hearsLateRefusal({ request }: Upgrade): boolean {
  if (request.headers.upgrade?.toLowerCase().includes('websocket') !== true) return false;
  return (request.headers['sec-websocket-protocol'] ?? '').split(',').some((one) => one.trim() === protocol);
}

/** Opens the session, says why there is none, and closes it. Resolves when the client is gone. */
export async function refuseExecLate(upgrade: Upgrade, message: string): Promise<void> {
  const accepted = await acceptWebSocket(upgrade, [protocol]);
  if (accepted === undefined) return;
  const { socket } = accepted;
  const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.send(Buffer.concat([Buffer.from([errorChannel]), Buffer.from(execStatusText({ kind: 'failed', message }))]));
  socket.close(1_000);
  await gone;
}
