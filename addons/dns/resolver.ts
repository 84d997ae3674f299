import type { Log } from '#base/log.ts';
import type { Forwarder } from './forwarder.ts';
import { formatError, type Query, readQuery, type ReplyParts, responseCode, writeReply } from './message.ts';
import type { Zone } from './zone.ts';

export interface ResolverDeps {
  readonly zone: Zone;
  readonly forwarder: Forwarder;
  readonly log: Log;
}

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
      const parts = this.#fromZone(query);
      if (parts !== undefined) return writeReply(query, parts, limitBytes);
      const forwarded = await this.#deps.forwarder.ask(bytes, transport, signal);
      return forwarded ?? writeReply(query, { code: responseCode.serverFailure, authoritative: false }, limitBytes);
    } catch (err) {
      if (signal.aborted) return undefined;
      this.#deps.log.warn({ err, name: query.question.name }, 'a question could not be answered');
      return writeReply(query, { code: responseCode.serverFailure, authoritative: false }, limitBytes);
    }
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
        return { code: responseCode.ok, authoritative: true, answers: answer.answers, authorities, additionals: answer.additionals };
      }
    }
  }
}
