import { version } from './version.ts';

/** What a process says of its making, under the names of upstream's version document. */
interface BuildInfo {
  readonly major: string;
  readonly minor: string;
  readonly gitVersion: string;
  /** '' where unknown: run from source, or built outside of a repository. */
  readonly gitCommit: string;
  /** `clean`, `dirty`, or '' where there is no commit. */
  readonly gitTreeState: string;
  readonly buildDate: string;
  /** Go's place is Node's here. */
  readonly goVersion: string;
  readonly compiler: string;
  readonly platform: string;
}

/** What scripts/build.ts found out about a bundle's sources. */
export interface BuildOrigin {
  readonly commit: string;
  readonly treeState: '' | 'clean' | 'dirty';
  readonly date: string;
}

/** A literal in bundles; not there at all where the sources run. */
declare const bundledOrigin: BuildOrigin;

/** What upstream's components report for an unofficial build. */
const unknownOrigin: BuildOrigin = { commit: '', treeState: '', date: '1970-01-01T00:00:00Z' };

export function buildInfo(): BuildInfo {
  const [, major = '', minor = ''] = /^v(\d+)\.(\d+)/.exec(version) ?? [];
  const { commit, treeState, date } = typeof bundledOrigin === 'undefined' ? unknownOrigin : bundledOrigin;
  return {
    major,
    minor,
    gitVersion: version,
    gitCommit: commit,
    gitTreeState: treeState,
    buildDate: date,
    goVersion: `node${process.version}`,
    compiler: 'v8',
    platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
  };
}
