// The process that sends: takes one job as JSON on standard input, prints its result as JSON.
import { text } from 'node:stream/consumers';
import type { Job } from './jobs.ts';
import { runRequests } from './requests.ts';
import { runStream } from './stream.ts';
import { runWatch } from './watch.ts';

const job = JSON.parse(await text(process.stdin)) as Job;
const result = job.do === 'stream' ? await runStream(job) : job.do === 'watch' ? await runWatch(job) : await runRequests(job);
process.stdout.write(`${JSON.stringify(result)}\n`);
