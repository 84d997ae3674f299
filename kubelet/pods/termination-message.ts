import { open } from 'node:fs/promises';
import { type ContainerStatus, isRuntimeError, type Runtime } from '../runtime/contract.ts';
import { terminationMessagePathAnnotation, terminationMessagePolicyAnnotation } from '../runtime/labels.ts';

const maxMessageBytes = 4_096;
const maxPodBytes = 12_288;
const maxLogBytes = 2_048;
const maxLogLines = 80;

/**
 * What an ended container left as its last words: the end of its message file, or by its policy that of its log. '' is nothing. Of these, as
 * much from the beginning as every container of the pod may have.
 */
export async function terminationMessage(
  container: ContainerStatus,
  containersOfPod: number,
  runtime: Pick<Runtime, 'logs'>,
  signal: AbortSignal,
): Promise<string> {
  const limitBytes = Math.min(maxMessageBytes, Math.trunc(maxPodBytes / Math.max(1, containersOfPod)));
  const path = container.annotations[terminationMessagePathAnnotation];
  const file = container.mounts.find(({ containerPath }) => containerPath === path)?.hostPath;
  const message = file === undefined ? '' : cut(await readTail(file), limitBytes);
  const wantsLog = container.annotations[terminationMessagePolicyAnnotation] === 'FallbackToLogsOnError';
  if (message !== '' || !wantsLog || container.exitCode === 0 || container.reason === 'ContainerCannotRun') return message;
  return cut(await logTail(container.id, runtime, signal), limitBytes);
}

function cut(text: string, limitBytes: number): string {
  const bytes = Buffer.from(text);
  return bytes.length <= limitBytes ? text : bytes.subarray(0, limitBytes).toString();
}

async function readTail(path: string): Promise<string> {
  try {
    await using file = await open(path, 'r');
    const { size } = await file.stat();
    const length = Math.min(size, maxMessageBytes);
    const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.subarray(0, bytesRead).toString();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    return `Error on reading termination log ${path}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

async function logTail(id: string, runtime: Pick<Runtime, 'logs'>, signal: AbortSignal): Promise<string> {
  let tail = Buffer.alloc(0);
  try {
    for await (const chunk of runtime.logs(id, { tailLines: maxLogLines }, signal)) {
      tail = Buffer.concat([tail, chunk]);
      if (tail.length > maxLogBytes) tail = tail.subarray(tail.length - maxLogBytes);
    }
  } catch (error) {
    if (!isRuntimeError(error)) throw error;
    return '';
  }
  return tail.toString();
}
