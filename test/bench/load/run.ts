import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Job, RequestsJob, RequestsResult, StreamJob, StreamResult, WatchJob, WatchResult } from './jobs.ts';

export function runJob(job: RequestsJob): Promise<RequestsResult>;
export function runJob(job: StreamJob): Promise<StreamResult>;
export function runJob(job: WatchJob): Promise<WatchResult>;
/** Does a job in a process of its own. */
export async function runJob(job: Job): Promise<unknown> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(JSON.stringify(job));
  let output = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    output += String(chunk);
    if (output.endsWith('\n')) break;
  }
  // It has nothing more to say, and Node has been seen to hang in its exit.
  child.kill('SIGKILL');
  if (output === '') throw new Error(`the load process failed at ${job.do}`);
  return JSON.parse(output);
}
