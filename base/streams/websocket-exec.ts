// Exec and attach over WebSocket: channels 0 stdin, 1 stdout, 2 stderr, 3 error, 4 resize.
import { finished } from 'node:stream/promises';
import type { Writable } from 'node:stream';
import { execErrorText, execStatusText } from './exec-status.ts';
import type { ExecSession, ExecStreams, StreamOptions, Upgrade } from './session.ts';
import { TerminalSizes } from './terminal-sizes.ts';
import { WebSocketChannels } from './websocket-channels.ts';
import { acceptWebSocket } from './websocket-server.ts';

/** v5 can close stdin, v4 made the status JSON; '' is the oldest, which names no protocol. */
const webSocketExecProtocols = [
  'v5.channel.k8s.io',
  'v4.channel.k8s.io',
  'v4.base64.channel.k8s.io',
  'channel.k8s.io',
  'base64.channel.k8s.io',
  '',
] as const;

const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 } as const;

/** Accepts the upgrade. Undefined when that fails. */
export async function acceptWebSocketExec(
  upgrade: Upgrade,
  wanted: ExecStreams,
  options: StreamOptions,
  signal: AbortSignal,
): Promise<ExecSession | undefined> {
  const accepted = await acceptWebSocket(upgrade, webSocketExecProtocols);
  if (accepted === undefined) return undefined;
  const connection = new WebSocketChannels(accepted, options, signal);
  const sizes = new TerminalSizes();
  if (wanted.tty) connection.listen(channels.resize, (bytes) => (bytes === undefined ? sizes.end() : sizes.push(bytes)));
  else sizes.end();
  const stdin = wanted.stdin ? connection.readable(channels.stdin) : undefined;
  const stdout = wanted.stdout ? connection.writable(channels.stdout) : undefined;
  const stderr = wanted.stderr ? connection.writable(channels.stderr) : undefined;
  for (const stream of [stdin, stdout, stderr]) stream?.on('error', () => undefined);
  // An empty message signals the start of the session.
  connection.send(wanted.stdout ? channels.stdout : wanted.stderr ? channels.stderr : channels.error, Buffer.alloc(0));
  const hasStatus = accepted.protocol.startsWith('v4.') || accepted.protocol.startsWith('v5.');
  return {
    ...(stdin === undefined ? {} : { stdin }),
    ...(stdout === undefined ? {} : { stdout }),
    ...(stderr === undefined ? {} : { stderr }),
    resizes: sizes,
    closed: connection.closed,
    finish: async (outcome) => {
      await Promise.all([stdout, stderr].map(flushed));
      const text = hasStatus ? execStatusText(outcome) : execErrorText(outcome);
      if (text !== '' && !connection.closed.aborted) connection.send(channels.error, Buffer.from(text));
      sizes.end();
      await connection.close();
    },
  };
}

async function flushed(stream: Writable | undefined): Promise<void> {
  if (stream === undefined || stream.destroyed) return;
  if (!stream.writableEnded) stream.end();
  await finished(stream).catch(() => undefined);
}
