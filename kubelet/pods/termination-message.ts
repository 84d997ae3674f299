import { open } from 'node:fs/promises';
import { type ContainerStatus, isRuntimeError, type Runtime } from '../runtime/contract.ts';
import { terminationMessagePathAnnotation, terminationMessagePolicyAnnotation } from '../runtime/labels.ts';

const maxMessageBytes = 4_096;
const maxPodBytes = 12_288;
const maxLogBytes = 2_048;
const maxLogLines = 80;

/** What an ended container left as its last words: its message file, or by its policy the end of its log. '' is nothing. */
export async function terminationMessage(
  container: ContainerStatus,
  containersOfPod: number,
  runtime: Pick<Runtime, 'logs'>,
  signal: AbortSignal,
): Promise<string> {
  const limitBytes = Math.min(maxMessageBytes, Math.trunc(maxPodBytes / Math.max(1, containersOfPod)));
  const path = container.annotations[terminationMessagePathAnnotation];
  const file = container.mounts.find(({ containerPath }) => containerPath === path)?.hostPath;
  const message = file === undefined ? '' : await readTail(file, limitBytes);
  const wantsLog = container.annotations[terminationMessagePolicyAnnotation] === 'FallbackToLogsOnError';
  if (message !== '' || !wantsLog || container.exitCode === 0 || container.reason === 'ContainerCannotRun') return message;
  return await logTail(container.id, Math.min(maxLogBytes, limitBytes), runtime, signal);
}

async function readTail(path: string, limitBytes: number): Promise<string> {
  try {
    await using file = await open(path, 'r');
    const { bytesRead, buffer } = await file.read(Buffer.alloc(limitBytes), 0, limitBytes, 0);
    return buffer.subarray(0, bytesRead).toString();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    return `Error on reading termination log ${path}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

async function logTail(id: string, limitBytes: number, runtime: Pick<Runtime, 'logs'>, signal: AbortSignal): Promise<string> {
  let tail = Buffer.alloc(0);
  try {
    for await (const chunk of runtime.logs(id, { tailLines: maxLogLines }, signal)) {
      tail = Buffer.concat([tail, chunk]);
      if (tail.length > limitBytes) tail = tail.subarray(tail.length - limitBytes);
    }
  } catch (error) {
    if (!isRuntimeError(error)) throw error;
    return '';
  }
  return tail.toString();
}
