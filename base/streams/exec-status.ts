import type { ExecOutcome } from './session.ts';

/** The Status that goes over the error stream from v4 on, as upstream words it. */
export function execStatusText(outcome: ExecOutcome): string {
  return `${JSON.stringify(statusOf(outcome))}`;
}

/** What older protocols write to the error stream: nothing for success. */
export function execErrorText(outcome: ExecOutcome): string {
  return statusOf(outcome).message ?? '';
}

/** What a received status says. Anything that is no Status counts as a failure with that text. */
export function parseExecStatus(text: string): ExecOutcome {
  let status: ExecStatus;
  try {
    status = JSON.parse(text) as ExecStatus;
  } catch {
    return { kind: 'failed', message: text };
  }
  if (status.status === 'Success') return { kind: 'done' };
  const cause = status.details?.causes?.find(({ reason }) => reason === 'ExitCode');
  const code = Number(cause?.message);
  if (status.reason === 'NonZeroExitCode' && Number.isInteger(code)) return { kind: 'exited', code };
  return { kind: 'failed', message: status.message ?? text };
}

interface ExecStatus {
  readonly metadata: object;
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: { readonly causes: readonly { readonly reason?: string; readonly message: string }[] };
  readonly code?: number;
}

function statusOf(outcome: ExecOutcome): ExecStatus {
  if (outcome.kind === 'done' || (outcome.kind === 'exited' && outcome.code === 0)) return { metadata: {}, status: 'Success' };
  if (outcome.kind === 'exited') {
    return {
      metadata: {},
      status: 'Failure',
      message: `command terminated with non-zero exit code: command terminated with exit code ${outcome.code}`,
      reason: 'NonZeroExitCode',
      details: { causes: [{ reason: 'ExitCode', message: String(outcome.code) }] },
    };
  }
  return {
    metadata: {},
    status: 'Failure',
    message: `Internal error occurred: ${outcome.message}`,
    reason: 'InternalError',
    details: { causes: [{ message: outcome.message }] },
    code: 500,
  };
}
