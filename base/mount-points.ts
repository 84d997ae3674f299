import { readFileSync } from 'node:fs';

/** Mount points of this process' namespace at or below `path`, the deepest first. */
export function mountPointsBelow(path: string): readonly string[] {
  return pointsIn(readFileSync('/proc/self/mountinfo', 'utf8')).filter((point) => isBelow(point, path));
}

/** Whether a path is another one or lies in it. */
export function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

/** What is mounted last stands last, and over what stands before. */
export function pointsIn(mountinfo: string): readonly string[] {
  const lines = mountinfo.split('\n').filter((line) => line !== '');
  return lines.map((line) => unescaped(line.split(' ')[4] ?? '')).toReversed();
}

/** The kernel writes blanks, tabs, line feeds and backslashes in octal. */
function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)));
}
