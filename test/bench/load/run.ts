import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Job, RequestsJob, RequestsResult, StreamJob, StreamResult, WatchJob, WatchResult } from './jobs.ts';

export function runJob(job: RequestsJob): Promise<RequestsResult>;
export function runJob(job: StreamJob): Promise<StreamResult>;
export function runJob(job: WatchJob): Promise<WatchResult>;
/** Does a job in a process of its own. */
export async function runJob(job: Job): Promise<unknown> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(JSON.stringify(job));
  const output = await text(child.stdout);
  if (output === '') throw new Error(`the load process failed at ${job.do}`);
  return JSON.parse(output);
}
