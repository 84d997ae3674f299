import { readdirSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isBelow } from '#base/mount-points.ts';

/**
 * Removes a file, or a folder with all in it but what is mounted there: that may be a volume with foreign content. A folder that
 * is a mount point itself is only emptied. Answers the mount points that were left alone.
 * @param mounted all mount points there are.
 */
export function removeTree(path: string, mounted: readonly string[]): readonly string[] {
  const inside = mounted.filter((point) => isBelow(point, path));
  if (inside.length === 0) {
    rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    return [];
  }
  // A file may be one, too.
  if (!statSync(path).isDirectory()) return [path];
  const kept = readdirSync(path).flatMap((name) => {
    const entry = join(path, name);
    return inside.includes(entry) ? [entry] : removeTree(entry, inside);
  });
  if (kept.length === 0 && !inside.includes(path)) rmdirSync(path);
  return kept;
}
