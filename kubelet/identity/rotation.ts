import type { Clock } from '#base/clock.ts';
import { isAbort, type Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import type { Client } from '#client/client.ts';
import type { CertificateFile } from './certificate-file.ts';
import { rotationMs } from './plan.ts';
import { requestCertificate } from './signing.ts';

interface RotationDeps {
  readonly client: Client;
  readonly file: CertificateFile;
  readonly nodeName: string;
  /** Called after every failure. */
  readonly onFailure?: () => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** A clock may be set, and a certificate renewed by hand: look again now and then. */
const longestSleepMs = 3_600_000;
const retryMs = 60_000;

/** Replaces the node's client certificate before it ends. Connections made after that show the new one. */
export class CertificateRotation implements Service {
  readonly name = 'certificate rotation';
  readonly #deps: RotationDeps;

  constructor(deps: RotationDeps) {
    this.#deps = deps;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { client, clock, file, log, nodeName } = this.#deps;
    ready();
    const random = Math.random();
    for (;;) {
      const validity = file.validity();
      const leftMs = validity === undefined ? longestSleepMs : rotationMs(validity, random) - clock.nowMs();
      if (leftMs > 0) {
        await clock.sleep(Math.min(leftMs, longestSleepMs), signal);
        continue;
      }
      try {
        const { createPrivateKeyPem } = await import('#base/pki.ts');
        const key = await createPrivateKeyPem();
        file.write({ cert: await requestCertificate({ nodeName, key }, { client, clock, log }, signal), key }, clock.nowMs());
        log.info({ nodeName }, 'client certificate replaced');
      } catch (err) {
        if (isAbort(err, signal)) throw err;
        log.warn({ err }, 'the client certificate could not be replaced');
        this.#deps.onFailure?.();
        await clock.sleep(retryMs, signal);
      }
    }
  }
}
