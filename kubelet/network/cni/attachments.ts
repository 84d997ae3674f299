// What was attached, on disk: one file for each sandbox, written before the first plugin runs and completed with the result. So a DEL
// with the same configuration is possible after a crash at any moment, and a new process knows the pods' addresses.
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { PodIdentity, PortMapping } from '../../runtime/contract.ts';
import type { CniChain } from './config.ts';

export interface Attachment {
  readonly sandboxId: string;
  readonly pod: PodIdentity;
  readonly chain: CniChain;
  readonly portMappings: readonly PortMapping[];
  /** Undefined while the plugins run, or when they were interrupted. */
  readonly result?: unknown;
}

export class Attachments {
  readonly #folder: string;
  readonly #known = new Map<string, Attachment>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  async get(sandboxId: string): Promise<Attachment | undefined> {
    const known = this.#known.get(sandboxId);
    if (known !== undefined) return known;
    try {
      const attachment = JSON.parse(await readFile(this.#path(sandboxId), 'utf8')) as Attachment;
      this.#known.set(sandboxId, attachment);
      return attachment;
    } catch (error) {
      if (error instanceof SyntaxError || isMissing(error)) return undefined;
      throw error;
    }
  }

  async put(attachment: Attachment): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const path = this.#path(attachment.sandboxId);
    const file = await open(`${path}.new`, 'w', 0o600);
    try {
      await file.writeFile(JSON.stringify(attachment));
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
    this.#known.set(attachment.sandboxId, attachment);
  }

  async delete(sandboxId: string): Promise<void> {
    this.#known.delete(sandboxId);
    await rm(this.#path(sandboxId), { force: true });
  }

  async sandboxIds(): Promise<readonly string[]> {
    try {
      const names = await readdir(this.#folder);
      return names.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length));
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  #path(sandboxId: string): string {
    if (!/^[\w-]+$/.test(sandboxId)) throw new Error(`not a sandbox id: ${sandboxId}`);
    return join(this.#folder, `${sandboxId}.json`);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
