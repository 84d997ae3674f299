// The processes that a supervisor keeps, known by records on disk rather than by parenthood: a new supervisor adopts what an old one left.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, ftruncateSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Component } from '../cluster/components.ts';
import { writeFileAtomically } from '#base/write-file.ts';
import { type Layout, readJson } from '../cluster/layout.ts';

/** Names a process for good. */
export interface Identity {
  readonly pid: number;
  /** The kernel's start time in ticks: distinguishes this process from a later one with the same pid. */
  readonly startTicks: string;
  /** Of which start of the machine: numbers and ticks begin anew with each. */
  readonly boot?: string;
}

export interface ProcessRecord extends Identity {
  /** Digest of the command: another one means that the process must be replaced. */
  readonly command: string;
  readonly startedMs: number;
  /** Starts since the cluster came up. */
  readonly starts: number;
}

/** Names a command with what it reads at its start only: the certificates, keys and kubeconfigs that its flags name. */
export function commandDigest(component: Component): string {
  const others = [component.image, component.knows].filter((one) => one !== undefined);
  const hash = createHash('sha256').update(JSON.stringify([programOf(component), component.argv, component.env, ...others]));
  for (const word of component.argv) {
    const [, flag = '', path] = /^--([a-z-]+)=(\/.*\.(?:crt|key|pub|conf))$/.exec(word) ?? [];
    if (path !== undefined && component.reloads?.includes(flag) !== true && existsSync(path)) hash.update(readFileSync(path));
  }
  return hash.digest('hex').slice(0, 16);
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

export function isAlive({ pid, startTicks, boot }: Identity): boolean {
  return startTicksOf(pid) === startTicks && (boot === undefined || boot === bootId());
}

export function selfIdentity(): Identity {
  return { pid: process.pid, startTicks: startTicksOf(process.pid) ?? '', boot: bootId() };
}

/**
 * Looks for a process that runs a component's command without a record, as one does whose supervisor was killed between starting it and
 * writing it down, and writes the record.
 */
export function adoptUnrecorded(layout: Layout, component: Component, nowMs: number): ProcessRecord | undefined {
  const wanted = `${[programOf(component), ...component.argv].join('\0')}\0`;
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry) || readProc(`${entry}/cmdline`) !== wanted) continue;
    const startTicks = startTicksOf(Number(entry));
    if (startTicks === undefined) continue;
    const identity = { pid: Number(entry), startTicks, boot: bootId() };
    const record: ProcessRecord = { ...identity, command: commandDigest(component), startedMs: nowMs, starts: 1 };
    writeRecord(layout, component.name, record);
    return record;
  }
  return undefined;
}

/** Starts a component as a process of its own session that outlives its supervisor, with its output appended to its log. */
export function start(layout: Layout, component: Component, starts: number, nowMs: number): ProcessRecord {
  const log = openSync(layout.log(component.name), 'a', 0o600);
  try {
    const child = spawn(programOf(component), [...component.argv], {
      detached: true,
      stdio: ['ignore', log, log],
      cwd: '/',
      env: { ...process.env, ...component.env },
    });
    child.on('error', () => undefined); // A failed start shows as a process that is not there.
    child.unref();
    const pid = child.pid ?? 0;
    const identity = { pid, startTicks: startTicksOf(pid) ?? '', boot: bootId() };
    const record: ProcessRecord = { ...identity, command: commandDigest(component), startedMs: nowMs, starts };
    try {
      writeRecord(layout, component.name, record);
    } catch (error) {
      // It could not be recorded (a full disk): rather no process than one that cannot be stopped.
      signalProcess(record, 'SIGKILL');
      throw error;
    }
    return record;
  } finally {
    closeSync(log);
  }
}

function programOf({ program }: Component): string {
  return program ?? process.execPath;
}

/** Writes the record of the running process itself. */
export function recordSelf(layout: Layout, name: string, nowMs: number): void {
  const record: ProcessRecord = { ...selfIdentity(), command: '', startedMs: nowMs, starts: 1 };
  writeRecord(layout, name, record);
}

/**
 * On a full disk there is no room for another file, but a record from before has its own: where it cannot be replaced, it is written over. One
 * that a crash leaves half written counts as none, and its process is found by its command.
 */
function writeRecord(layout: Layout, name: string, record: ProcessRecord): void {
  const path = layout.run(name);
  const text = JSON.stringify(record);
  try {
    writeFileAtomically(path, text);
  } catch (error) {
    if (!existsSync(path)) throw error;
    const file = openSync(path, 'r+');
    try {
      writeSync(file, text, 0);
      ftruncateSync(file, Buffer.byteLength(text));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  }
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
  const stat = readProc(`${pid}/stat`);
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

function bootId(): string {
  return readProc('sys/kernel/random/boot_id')?.trim() ?? '';
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    return undefined; // The process is gone.
  }
}
