// The processes that a supervisor keeps, known by records on disk rather than by parenthood: a new supervisor adopts what an old one left.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Component } from '../cluster/components.ts';
import { type Layout, readJson, writeFileAtomically } from '../cluster/layout.ts';

export interface ProcessRecord {
  readonly pid: number;
  /** The kernel's start time in ticks: tells this process from a later one with the same number. */
  readonly startTicks: string;
  /** Digest of the command: another one means that the process must be replaced. */
  readonly command: string;
  readonly startedMs: number;
  /** Starts since the cluster came up. */
  readonly starts: number;
}

export function commandDigest(component: Component): string {
  return createHash('sha256')
    .update(JSON.stringify([process.execPath, component.argv, component.env]))
    .digest('hex')
    .slice(0, 16);
}

/** The record of a process that still lives, whoever started it. */
export function findRunning(layout: Layout, name: string): ProcessRecord | undefined {
  const record = readJson<ProcessRecord>(layout.run(name));
  return record !== undefined && isAlive(record) ? record : undefined;
}

/** Names with a record, dead or alive. */
export function recordedNames(layout: Layout): string[] {
  const folder = join(layout.dataDir, 'run');
  return existsSync(folder)
    ? readdirSync(folder)
        .filter((file) => file.endsWith('.json'))
        .map((file) => file.slice(0, -5))
    : [];
}

export function isAlive(record: Pick<ProcessRecord, 'pid' | 'startTicks'>): boolean {
  return startTicksOf(record.pid) === record.startTicks;
}

/** Starts a component as a process of its own session that outlives its supervisor, with its output appended to its log. */
export function start(layout: Layout, component: Component, starts: number, nowMs: number): ProcessRecord {
  const log = openSync(layout.log(component.name), 'a', 0o600);
  try {
    const child = spawn(process.execPath, [...component.argv], {
      detached: true,
      stdio: ['ignore', log, log],
      cwd: '/',
      env: { ...process.env, ...component.env },
    });
    child.on('error', () => undefined); // A failed start shows as a process that is not there.
    child.unref();
    const pid = child.pid ?? 0;
    const record: ProcessRecord = { pid, startTicks: startTicksOf(pid) ?? '', command: commandDigest(component), startedMs: nowMs, starts };
    writeFileAtomically(layout.run(component.name), JSON.stringify(record));
    return record;
  } finally {
    closeSync(log);
  }
}

/** Writes the record of the running process itself. */
export function recordSelf(layout: Layout, name: string, nowMs: number): void {
  const record: ProcessRecord = { pid: process.pid, startTicks: startTicksOf(process.pid) ?? '', command: '', startedMs: nowMs, starts: 1 };
  writeFileAtomically(layout.run(name), JSON.stringify(record));
}

export function forget(layout: Layout, name: string): void {
  rmSync(layout.run(name), { force: true });
}

/** Sends a signal to a recorded process, if it is still that process. */
export function signalProcess(record: ProcessRecord, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (!isAlive(record)) return;
  try {
    process.kill(record.pid, signal);
  } catch (error) {
    // It ended between the look and the signal.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** Field 22 of /proc/<pid>/stat; undefined for processes that are gone or only wait to be reaped. */
function startTicksOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
