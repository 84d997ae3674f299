// What etcd's failures mean: the code of gRPC and etcd's own text in, what to do about it out.
import { StoreError } from '../contract.ts';

/** Codes of gRPC. */
const code = {
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  resourceExhausted: 8,
  outOfRange: 11,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
} as const;

/** What members say while the cluster has no leader, or has just got another one. */
const election = /no leader|leader changed|proposal dropped|previous leader failure|leader transfer/;

/** A call that failed. */
export class EtcdFailure extends Error {
  override readonly name = 'EtcdFailure';
  /**
   * again: it may be tried again, at another member too; what was asked for may have happened all the same. refused: it did not happen,
   * and may be tried again at this member. lease-gone: the lease ran out before. final: trying again is of no use.
   */
  readonly verdict: 'again' | 'refused' | 'lease-gone' | 'final';
  /** How the store names it. */
  readonly storeCode: StoreError['code'];

  constructor(verdict: EtcdFailure['verdict'], storeCode: StoreError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.verdict = verdict;
    this.storeCode = storeCode;
  }

  /** Whether it says no more than that a leader is being found. */
  get isElection(): boolean {
    return this.storeCode === 'unavailable' && election.test(this.message);
  }
}

/** Judges what gRPC says; `details` is etcd's text. */
export function etcdFailure(grpcCode: number, details: string, cause?: unknown): EtcdFailure {
  const failure = (verdict: EtcdFailure['verdict'], storeCode: StoreError['code']): EtcdFailure =>
    new EtcdFailure(verdict, storeCode, details, { cause });
  switch (grpcCode) {
    case code.unavailable:
    case code.deadlineExceeded:
    // What a member that ends, or a connection that breaks, makes of calls under way.
    case code.cancelled:
    case code.unknown:
    case code.internal:
      return failure('again', 'unavailable');
    case code.resourceExhausted:
      if (details.includes('database space exceeded')) return failure('final', 'full');
      if (details.includes('larger than max')) return tooLarge(cause);
      return failure('refused', 'unavailable');
    case code.invalidArgument:
      return details.includes('too large') ? tooLarge(cause) : failure('final', 'unavailable');
    case code.outOfRange:
      return failure('final', details.includes('compacted') ? 'compacted' : 'unavailable');
    case code.notFound:
      return failure(details.includes('lease') ? 'lease-gone' : 'final', 'unavailable');
    case code.dataLoss:
      return failure('final', 'corrupt');
    default:
      return failure('final', 'unavailable');
  }
}

/** What the store's callers are told. */
export function storeError(failure: EtcdFailure): StoreError {
  return new StoreError(failure.storeCode, failure.message, { cause: failure });
}

function tooLarge(cause: unknown): EtcdFailure {
  return new EtcdFailure('final', 'too-large', 'etcdserver: request is too large', { cause });
}
