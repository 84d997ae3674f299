import type { Log } from '#base/log.ts';
import type { Forwarder } from './forwarder.ts';
import {
  formatError,
  type Query,
  readAnswers,
  readQuery,
  type ReplyParts,
  type ResponseCode,
  responseCode,
  writeQuery,
  writeReply,
} from './message.ts';
import type { DnsRecord } from './records.ts';
import type { Zone } from './zone.ts';

interface ResolverDeps {
  readonly zone: Zone;
  readonly forwarder: Forwarder;
  readonly log: Log;
  /** Gives numbers in [0, 1); default Math.random. */
  readonly random?: () => number;
}

/** An ExternalName may name another one; a circle of them has to end. */
const maxCnames = 8;

/** Gives the reply to one message: from the zone where the name is the cluster's, else from the host's resolvers. Never throws. */
export class Resolver {
  readonly #deps: ResolverDeps;

  constructor(deps: ResolverDeps) {
    this.#deps = deps;
  }

  /** Undefined where the message deserves no reply. */
  async reply(bytes: Buffer, transport: 'udp' | 'tcp', signal: AbortSignal): Promise<Buffer | undefined> {
    const query = readQuery(bytes);
    if (query === undefined) return formatError(bytes);
    const limitBytes = transport === 'udp' ? query.udpLimitBytes : 65_535;
    try {
      if (query.refusal !== undefined) return writeReply(query, { code: query.refusal, authoritative: false }, limitBytes);
      const parts = this.#fromZone(query);
      if (parts !== undefined) return writeReply(query, await this.#withTarget(query, parts, signal), limitBytes);
      const forwarded = await this.#deps.forwarder.ask(bytes, transport, signal);
      return forwarded ?? writeReply(query, { code: this.#codeForUnknown(query), authoritative: false }, limitBytes);
    } catch (err) {
      if (signal.aborted) return undefined;
      this.#deps.log.warn({ err, name: query.question.name }, 'a question could not be answered');
      return serverFailure(query);
    }
  }

  /** Without upstream servers, a name of one label is not known to be anything; others may well exist out there. */
  #codeForUnknown({ question }: Query): ResponseCode {
    const isSingle = !question.name.replace(/\.$/, '').includes('.');
    return isSingle && !this.#deps.forwarder.hasServers ? responseCode.noSuchName : responseCode.serverFailure;
  }

  /** Adds the addresses behind a CNAME: pods' resolvers ask us to resolve, and do not go on by themselves. */
  async #withTarget(query: Query, parts: ReplyParts, signal: AbortSignal): Promise<ReplyParts> {
    const { zone, forwarder } = this.#deps;
    const { type } = query.question;
    const answers = [...(parts.answers ?? [])];
    for (let steps = 0; steps < maxCnames && (type === 'A' || type === 'AAAA'); steps++) {
      const last = answers.at(-1);
      if (last?.type !== 'CNAME') break;
      const answer = zone.answer(last.data, type);
      if (answer.kind === 'found') answers.push(...answer.answers);
      if (answer.kind === 'refused') {
        const reply = await forwarder.ask(writeQuery(last.data, type), 'udp', signal);
        if (reply === undefined) return { ...parts, code: responseCode.serverFailure };
        answers.push(...readAnswers(reply));
        break;
      }
      if (answer.kind !== 'found' || answer.answers.length === 0) break;
    }
    return { ...parts, answers };
  }

  /** Askers take the first address: each is first as often as the others. */
  #rotate(answers: readonly DnsRecord[]): readonly DnsRecord[] {
    const { random = Math.random } = this.#deps;
    const start = Math.floor(random() * answers.length);
    return [...answers.slice(start), ...answers.slice(0, start)];
  }

  #fromZone({ question }: Query): ReplyParts | undefined {
    const { zone } = this.#deps;
    const answer = zone.answer(question.name, question.type);
    switch (answer.kind) {
      case 'refused':
        return undefined;
      case 'no-such-name':
        return { code: responseCode.noSuchName, authoritative: true, authorities: [zone.soa()] };
      case 'found': {
        const authorities = answer.answers.length === 0 ? [zone.soa()] : [];
        return {
          code: responseCode.ok,
          authoritative: true,
          answers: this.#rotate(answer.answers),
          authorities,
          additionals: answer.additionals,
        };
      }
    }
  }
}

/** Undefined where even the question cannot be repeated, as with names that are no text. */
function serverFailure(query: Query): Buffer | undefined {
  try {
    return writeReply(query, { code: responseCode.serverFailure, authoritative: false }, 512);
  } catch {
    return undefined;
  }
}
