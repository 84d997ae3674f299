import type { V1Pod } from '#api/generated/types.ts';
import type { Clock } from '#base/clock.ts';
import type { Service } from '#base/lifecycle.ts';
import type { Log } from '#base/log.ts';
import { lazyCodec } from './codec-source.ts';
import { ManifestFolder } from './manifest-folder.ts';
import { ManifestPage } from './manifest-page.ts';
import { type SourceName, StaticPods } from './static-pods.ts';

/** Where static pods come from. */
export interface StaticSettings {
  /** A folder or a file; '': none. */
  readonly path: string;
  readonly fileCheckMs: number;
  /** '': none. */
  readonly url: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly pageCheckMs: number;
  /** True for pods of the folder that another program on this host runs. */
  readonly isOthers?: (manifest: V1Pod) => boolean;
}

interface StaticSources {
  readonly pods: StaticPods;
  readonly services: readonly Service[];
}

/** The static pods of a node, and the services that keep them up to date. */
export function staticSources(settings: StaticSettings, nodeName: string, clock: Clock, log: Log): StaticSources {
  const { path, fileCheckMs, url, headers, pageCheckMs, isOthers } = settings;
  const names: SourceName[] = [...(path === '' ? [] : ['file' as const]), ...(url === '' ? [] : ['http' as const])];
  const pods = new StaticPods(names, clock, log);
  const deps = (name: SourceName): ConstructorParameters<typeof ManifestPage>[0] => ({
    onPods: (all) => pods.set(name, all),
    codec,
    clock,
    log,
  });
  const codec = lazyCodec();
  const folder = { path, nodeName, checkMs: fileCheckMs, ...(isOthers === undefined ? {} : { isOthers }) };
  return {
    pods,
    services: [
      ...(path === '' ? [] : [new ManifestFolder(deps('file'), folder)]),
      ...(url === '' ? [] : [new ManifestPage(deps('http'), { url, headers, nodeName, checkMs: pageCheckMs })]),
    ],
  };
}
