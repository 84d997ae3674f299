// Connections into a pod's network namespace, also to what listens on its localhost only. Node cannot enter a namespace, so one small
// process per namespace does: it listens on a Unix socket (which is reached from everywhere) and joins what comes in to a port.
// It ends when idle for a while, or with this process.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { RuntimeError } from '../runtime/contract.ts';

/** Runs inside the namespace. Each connection says `<port>\n`, gets `+` or `-<why>\n`, and then the bytes of the port. */
const helperProgram = `
const net = require('node:net');
let open = 0, idle;
const rest = () => { idle = setTimeout(() => process.exit(0), 10_000); };
const server = net.createServer({ allowHalfOpen: true }, (client) => {
  clearTimeout(idle); open++;
  client.on('error', () => undefined);
  client.on('close', () => { if (--open === 0) rest(); });
  client.once('data', (line) => {
    client.pause();
    const port = Number(String(line).split('\\n')[0]);
    const tryHost = (hosts, first) => {
      const target = net.connect({ host: hosts[0], port, allowHalfOpen: true });
      const failed = (error) => hosts.length > 1 ? tryHost(hosts.slice(1), error) : client.end('-' + (first ?? error).message + '\\n');
      target.once('error', failed);
      target.once('connect', () => {
        target.off('error', failed);
        target.on('error', () => client.destroy());
        client.on('error', () => target.destroy());
        client.on('close', () => target.destroy());
        client.write('+');
        client.pipe(target); target.pipe(client);
      });
    };
    tryHost(['127.0.0.1', '::1']);
  });
});
server.listen(process.argv[1], () => process.stdout.write('ready\\n'));
process.on('exit', () => require('node:fs').rmSync(require('node:path').dirname(process.argv[1]), { recursive: true, force: true }));
process.stdin.on('end', () => process.exit(0)); process.stdin.on('error', () => process.exit(0)); process.stdin.resume();
rest();
`;

interface Helper {
  readonly socketPath: string;
  readonly isAlive: () => boolean;
}

/** Opens TCP connections inside network namespaces. */
export class PortDialer {
  readonly #helpers = new Map<string, Promise<Helper>>();

  /** `netnsPath` undefined: the host's own. Rejects with RuntimeError 'Network' when the connection is refused. */
  async dial(netnsPath: string | undefined, port: number, signal: AbortSignal): Promise<Duplex> {
    if (netnsPath === undefined) return this.#connected(connect({ host: '127.0.0.1', port, allowHalfOpen: true }), port, signal);
    const { socketPath } = await this.#helper(netnsPath);
    const socket = connect({ path: socketPath, allowHalfOpen: true });
    await this.#connected(socket, port, signal);
    socket.write(`${port}\n`);
    await handshake(socket, port, signal);
    return socket;
  }

  async #connected(socket: Socket, port: number, signal: AbortSignal): Promise<Socket> {
    try {
      await once(socket, 'connect', { signal });
    } catch (error) {
      socket.destroy();
      signal.throwIfAborted();
      throw cannotReach(port, error instanceof Error ? error.message : String(error), error);
    }
    return socket;
  }

  async #helper(netnsPath: string): Promise<Helper> {
    const known = await this.#helpers.get(netnsPath)?.catch(() => undefined);
    if (known?.isAlive() === true) return known;
    const starting = startHelper(netnsPath);
    this.#helpers.set(netnsPath, starting);
    const forget = (): boolean => this.#helpers.get(netnsPath) === starting && this.#helpers.delete(netnsPath);
    try {
      const helper = await starting;
      helper.ended.then(forget, forget);
      return helper;
    } catch (error) {
      forget();
      throw error;
    }
  }
}

async function startHelper(netnsPath: string): Promise<Helper & { ended: Promise<unknown> }> {
  const folder = await mkdtemp(join(tmpdir(), 'coxswain-dial-'));
  const socketPath = join(folder, 'socket');
  const args = [`--net=${netnsPath}`, '--', process.execPath, '-e', helperProgram, socketPath];
  const child = spawn('nsenter', args, { stdio: ['pipe', 'pipe', 'pipe'], env: {}, detached: true });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.on('error', () => child.kill());
  const ended = once(child, 'close').catch(() => undefined);
  const started = await Promise.race([once(child.stdout, 'data').then(() => true), ended.then(() => false)]);
  if (!started) {
    await rm(folder, { recursive: true, force: true });
    throw new RuntimeError('Network', `cannot enter the pod's network: ${stderr.trim()}`);
  }
  // It must not keep our process alive; it ends by itself when our end of its input closes.
  child.unref();
  return { socketPath, isAlive: () => child.exitCode === null && child.signalCode === null, ended };
}

/** Waits for the helper's word about the port; what follows it stays in the socket. */
async function handshake(socket: Socket, port: number, signal: AbortSignal): Promise<void> {
  try {
    await once(socket, 'readable', { signal });
  } catch (error) {
    socket.destroy();
    throw error;
  }
  const word = socket.read(1) as Buffer | null;
  if (word?.toString() === '+') return;
  const why = (socket.read() as Buffer | null)?.toString().trim() ?? 'the helper ended';
  socket.destroy();
  throw cannotReach(port, why);
}

function cannotReach(port: number, why: string, cause?: unknown): RuntimeError {
  return new RuntimeError('Network', `failed to connect to localhost:${port} inside the pod: ${why}`, { cause });
}
