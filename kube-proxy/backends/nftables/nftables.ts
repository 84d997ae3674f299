import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Log } from '#base/log.ts';
import type { DispatchChanges } from '../../model/claims.ts';
import type { Dispatch } from '../../model/dispatch.ts';
import type { ProxyBackend } from '../contract.ts';
import { flowsOf, staleFlows } from './flows.ts';
import { NftScript } from './script.ts';
import { tableName } from './skeleton.ts';

interface NftablesOptions {
  readonly podCidrs: readonly string[];
  readonly log: Log;
  /** Words in front of `nft` and `conntrack`, such as those that enter a network namespace. */
  readonly prefix?: readonly string[];
}

/** Service traffic through a few global nftables maps. One caller at a time. */
export class NftablesBackend implements ProxyBackend {
  readonly name = 'nftables';
  readonly #script: NftScript;
  readonly #log: Log;
  readonly #prefix: readonly string[];

  constructor({ podCidrs, log, prefix = [] }: NftablesOptions) {
    this.#script = new NftScript(podCidrs);
    this.#log = log;
    this.#prefix = prefix;
  }

  async replace(all: Iterable<Dispatch>, signal: AbortSignal): Promise<void> {
    const dispatches = [...all];
    await this.#apply(this.#script.renderAll(dispatches), signal);
    // Endpoints may have gone unobserved: before this process started, or since a transaction was rejected.
    if (!dispatches.some(({ protocol }) => protocol === 'udp')) return;
    const { stdout } = await run([...this.#prefix, 'conntrack', '-L', '-p', 'udp', '--dst-nat'], '', signal);
    for (const flows of staleFlows(stdout, dispatches)) await this.#deleteFlows(flows, signal);
  }

  async change(changes: DispatchChanges, signal: AbortSignal): Promise<void> {
    const stale = this.#script.staleUdp(changes);
    const script = this.#script.render(changes);
    if (script !== '') await this.#apply(script, signal);
    for (const { front, gone } of stale) {
      for (const endpoint of gone) await this.#deleteFlows([...flowsOf(front), '--dst-nat', endpoint.ip], signal);
    }
    // Flows that began while there was no endpoint have no destination: without their conntrack entry the next packet gets one.
    for (const next of changes.values()) {
      if (next?.protocol === 'udp' && next.endpoints.length > 0)
        await this.#deleteFlows([...flowsOf(next), '--status', 'UNREPLIED'], signal);
    }
  }

  async isIntact(signal: AbortSignal): Promise<boolean> {
    const { code } = await run([...this.#prefix, 'nft', 'list', 'chain', 'ip', tableName, 'dispatch'], '', signal);
    return code === 0;
  }

  async cleanup(signal: AbortSignal): Promise<void> {
    await run([...this.#prefix, 'nft', '-f', '-'], `add table ip ${tableName}\ndelete table ip ${tableName}\n`, signal);
  }

  async #apply(script: string, signal: AbortSignal): Promise<void> {
    const { code, stderr } = await run([...this.#prefix, 'nft', '-f', '-'], `${script}\n`, signal);
    if (code === 0) {
      this.#script.commit();
      return;
    }
    this.#script.rollback();
    throw new Error(`nft refused the rules: ${stderr.trim().split('\n').slice(0, 3).join(' ')}`);
  }

  async #deleteFlows(filter: readonly string[], signal: AbortSignal): Promise<void> {
    const { code, stderr } = await run([...this.#prefix, 'conntrack', '-D', ...filter], '', signal);
    // It answers 1 when there was no such flow.
    if (code !== 0 && !stderr.includes('0 flow entries')) this.#log.warn({ stderr: stderr.trim() }, 'stale UDP flows could not be ended');
  }
}

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program with `input`; answers 127 where it does not exist. */
async function run([file = '', ...args]: readonly string[], input: string, signal: AbortSignal): Promise<Ended> {
  signal.throwIfAborted();
  // A script under way is left to end: half a transaction does not exist, and it takes milliseconds.
  const child = spawn(file, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(0, 65_536)));
  child.stdin.on('error', (error) => (stderr += error.message));
  child.stdin.end(input);
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return { code: code ?? 1, stdout, stderr };
  } catch (error) {
    return { code: 127, stdout, stderr: `${file}: ${error instanceof Error ? error.message : String(error)}` };
  }
}
