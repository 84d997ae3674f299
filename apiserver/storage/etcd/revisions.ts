import { revisionsPerCommit } from './commit-place.ts';

/**
 * The store's revisions and etcd's: a commit's last write has the commit's number, as often as it takes up revisions, plus the
 * cluster's offset; those before it count down from there.
 */
export class Revisions {
  readonly offset: number;

  constructor(offset: number) {
    this.offset = offset;
  }

  /** Of a write that `behind` others of its commit come behind; without: everything of that commit. */
  of(commit: number, behind = 0): number {
    return commit * revisionsPerCommit - behind + this.offset;
  }

  /** The commit that a revision belongs to. No key has a revision from before this etcd; nor has one -1. */
  commitOf(revision: number): number {
    const relative = revision - this.offset;
    return relative > 0 ? Math.ceil(relative / revisionsPerCommit) : -1;
  }

  /** The last commit that lies wholly up to a revision. */
  wholeCommitsUpTo(revision: number): number {
    return Math.floor((revision - this.offset) / revisionsPerCommit);
  }
}
