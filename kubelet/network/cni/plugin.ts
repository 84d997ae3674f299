// Runs one CNI plugin: an executable that gets its orders by environment and standard input and answers on standard output.
import { spawn } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { RuntimeError } from '../../runtime/contract.ts';

export type CniCommand = 'ADD' | 'DEL' | 'CHECK';

interface PluginCall {
  readonly command: CniCommand;
  readonly containerId: string;
  /** '' when the namespace is gone: DEL must do without. */
  readonly netnsPath: string;
  readonly interfaceName: string;
  /** CNI_ARGS: `K8S_POD_NAME=a;…`. */
  readonly args: string;
  readonly input: object;
}

/** Where plugins are looked for, in this order. */
export const defaultPluginFolders: readonly string[] = ['/opt/cni/bin', '/usr/lib/cni', '/usr/libexec/cni'];

/** The executable of a plugin; undefined when no folder has it. */
export async function findPlugin(type: string, folders: readonly string[]): Promise<string | undefined> {
  if (type.includes('/')) return undefined;
  for (const folder of folders) {
    const path = join(folder, type);
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return undefined;
}

/** Answers the plugin's result (undefined for an empty one). Throws RuntimeError 'Network' with the plugin's own words. */
export async function runPlugin(type: string, call: PluginCall, folders: readonly string[], signal: AbortSignal): Promise<unknown> {
  const path = await findPlugin(type, folders);
  if (path === undefined)
    throw new RuntimeError('Network', `failed to find plugin ${JSON.stringify(type)} in path ${JSON.stringify(folders)}`);
  const env = {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    CNI_COMMAND: call.command,
    CNI_CONTAINERID: call.containerId,
    CNI_NETNS: call.netnsPath,
    CNI_IFNAME: call.interfaceName,
    CNI_ARGS: call.args,
    CNI_PATH: folders.join(':'),
  };
  const { code, stdout, stderr } = await run(path, env, JSON.stringify(call.input), signal);
  if (code === 0) return stdout.trim() === '' ? undefined : (JSON.parse(stdout) as unknown);
  throw new RuntimeError(
    'Network',
    `plugin type=${JSON.stringify(type)} failed (${call.command.toLowerCase()}): ${wordsOf(stdout, stderr)}`,
  );
}

function wordsOf(stdout: string, stderr: string): string {
  try {
    const { msg, details } = JSON.parse(stdout) as { msg?: string; details?: string };
    if (msg !== undefined) return details === undefined || details === '' ? msg : `${msg}; ${details}`;
  } catch {
    // Not the error object that the protocol asks for: show what it said.
    return `netplugin failed: ${JSON.stringify(stderr.trim() || stdout.trim())}`;
  }
  return `netplugin failed with no error message: ${JSON.stringify(stderr.trim())}`;
}

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A plugin that has begun is not broken off by an abort: half a network is worse than a late one. */
function run(path: string, env: Record<string, string>, input: string, signal: AbortSignal): Promise<Ended> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const child = spawn(path, [], { env, stdio: ['pipe', 'pipe', 'pipe'] });
    const output = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString('utf8')));
    child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString('utf8')));
    child.on('error', (cause) => reject(new RuntimeError('Network', `cannot run ${path}: ${cause.message}`, { cause })));
    child.on('close', (code) => resolve({ code: code ?? 255, ...output }));
    // A plugin may end without reading its input.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}
