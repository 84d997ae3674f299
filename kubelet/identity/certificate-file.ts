// The node's client certificate: certificate and key in one file, `kubelet-client-current.pem`, a link to the newest of the files with a
// time in their name. Readers see the old pair or the new one, never one of each.
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { KeyPair } from '#base/pki.ts';
import { writeFileAtomically } from '#base/write-file.ts';

export interface Validity {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export class CertificateFile {
  readonly path: string;
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.path = join(folder, 'kubelet-client-current.pem');
  }

  /** When it is valid; undefined where there is none, or none that can be read. */
  validity(): Validity | undefined {
    return existsSync(this.path) ? validityOf(readFileSync(this.path, 'utf8')) : undefined;
  }

  write({ cert, key }: KeyPair, nowMs: number): void {
    const time = new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[T:]/g, '-');
    const path = join(this.#folder, `kubelet-client-${time}.pem`);
    writeFileAtomically(path, `${cert.trim()}\n${key.trim()}\n`);
    const link = `${this.path}.${process.pid}.tmp`;
    rmSync(link, { force: true });
    symlinkSync(basename(path), link);
    renameSync(link, this.path);
  }
}

/** Undefined for a text without a certificate that can be read. */
export function validityOf(pem: string): Validity | undefined {
  try {
    const { validFrom, validTo } = new X509Certificate(pem);
    return { notBeforeMs: Date.parse(validFrom), notAfterMs: Date.parse(validTo) };
  } catch {
    return undefined;
  }
}
