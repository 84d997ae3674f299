// The members of a stacked etcd, by etcd's JSON gateway: the few calls that kubeadm makes need no gRPC.
import { request } from 'node:https';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EtcdMember } from '../manifests/components.ts';

export interface Member extends EtcdMember {
  /** Decimal, 64 bits. */
  readonly id: string;
  readonly isLearner: boolean;
}

interface WireMember {
  readonly ID: string;
  readonly name?: string;
  readonly peerURLs?: readonly string[];
  readonly isLearner?: boolean;
}

/** Talks to the first of `endpoints` that answers. */
export class EtcdMembers {
  readonly #endpoints: readonly string[];
  readonly #certFolder: string;

  constructor(endpoints: readonly string[], certFolder: string) {
    this.#endpoints = endpoints;
    this.#certFolder = certFolder;
  }

  async list(signal: AbortSignal): Promise<readonly Member[]> {
    const { members } = (await this.#call('/v3/cluster/member/list', {}, signal)) as { members?: readonly WireMember[] };
    return (members ?? []).map(memberOf);
  }

  /** Announces a member that has no vote yet. */
  async addLearner(peerUrl: string, signal: AbortSignal): Promise<Member> {
    const { member } = (await this.#call('/v3/cluster/member/add', { peerURLs: [peerUrl], isLearner: true }, signal)) as {
      member: WireMember;
    };
    return memberOf(member);
  }

  /** Gives it a vote. Rejects while it has not caught up. */
  async promote(id: string, signal: AbortSignal): Promise<void> {
    await this.#call('/v3/cluster/member/promote', { ID: id }, signal);
  }

  async remove(id: string, signal: AbortSignal): Promise<void> {
    await this.#call('/v3/cluster/member/remove', { ID: id }, signal);
  }

  async #call(path: string, body: object, signal: AbortSignal): Promise<unknown> {
    let last: unknown = new Error('no endpoints');
    for (const endpoint of this.#endpoints) {
      try {
        return await this.#post(`${endpoint}${path}`, body, signal);
      } catch (error) {
        signal.throwIfAborted();
        last = error;
        // An answer is an answer; only who does not answer is passed over.
        if (error instanceof EtcdRefusal) throw error;
      }
    }
    throw last;
  }

  async #post(url: string, body: object, signal: AbortSignal): Promise<unknown> {
    const file = (name: string): Buffer => readFileSync(join(this.#certFolder, 'etcd', name));
    const tls = { ca: file('ca.crt'), cert: file('healthcheck-client.crt'), key: file('healthcheck-client.key') };
    const text = await new Promise<string>((resolve, reject) => {
      const sent = request(url, { method: 'POST', ...tls, agent: false, timeout: 5_000, signal }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          if (answer.statusCode === 200) resolve(text);
          else reject(new EtcdRefusal(`etcd answered ${answer.statusCode}: ${text.slice(0, 500)}`));
        });
      });
      sent.on('timeout', () => sent.destroy(new Error(`${url} did not answer within 5 s`)));
      sent.on('error', reject);
      sent.end(JSON.stringify(body));
    });
    return JSON.parse(text);
  }
}

/** etcd understood, and said no. */
class EtcdRefusal extends Error {
  override readonly name = 'EtcdRefusal';
}

function memberOf({ ID, name = '', peerURLs = [], isLearner = false }: WireMember): Member {
  return { id: ID, name, peerUrl: peerURLs[0] ?? '', isLearner };
}
