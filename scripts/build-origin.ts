// What a bundle was made of: read from git where the checkout is one, and from nowhere else.
import { spawnSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import type { BuildOrigin } from '#base/build-info.ts';

/**
 * Undefined parts of it stay empty: an unpacked archive knows no commit. `nowMs` is when the build runs, which SOURCE_DATE_EPOCH (seconds)
 * overrules for builds that should come out the same again.
 */
export function buildOrigin(root: string, nowMs: number, sourceDateEpoch?: string): BuildOrigin {
  const dateMs = /^\d+$/.test(sourceDateEpoch ?? '') ? Number(sourceDateEpoch) * 1_000 : nowMs;
  const date = new Date(dateMs).toISOString().replace(/\.\d+Z$/, 'Z');
  // A repository around the checkout, such as one that has this package among its dependencies, says nothing of it.
  if (git(root, 'rev-parse', '--show-toplevel') !== realpathSync(root)) return { commit: '', treeState: '', date };
  const commit = git(root, 'rev-parse', '--verify', 'HEAD');
  const changes = git(root, 'status', '--porcelain');
  if (commit === undefined || changes === undefined) return { commit: '', treeState: '', date };
  return { commit, treeState: changes === '' ? 'clean' : 'dirty', date };
}

function git(root: string, ...args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return status === 0 ? stdout.trim() : undefined;
}
