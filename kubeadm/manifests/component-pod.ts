// The manifests of a control plane's components, as static Pods in upstream's form. Whoever looks after the host runs what they say:
// command and arguments are what counts, and editing a file changes the component.
import { join } from 'node:path';
import type { V1Pod } from '#api/generated/types.ts';
import { writeFileAtomically } from '#base/write-file.ts';
import { yamlOf } from '../config/document.ts';
import { noPatches, type Patches } from './patches.ts';

export interface ComponentPod {
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly cpu: string;
  readonly memory?: string;
  readonly probe: {
    readonly host: string;
    readonly port: number;
    readonly scheme: 'HTTP' | 'HTTPS';
    readonly live: string;
    readonly ready?: string;
  };
  /** Folders and files of the host that the component reads or writes, by the volume's name. */
  readonly mounts: Readonly<
    Record<string, { readonly path: string; readonly type: 'DirectoryOrCreate' | 'FileOrCreate'; readonly writable?: boolean }>
  >;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The Pod object. */
export function podOf({ name, image, command, cpu, memory, probe, mounts, annotations }: ComponentPod): V1Pod {
  const httpGet = (path: string): object => ({ host: probe.host, path, port: probe.port, scheme: probe.scheme });
  const volumes = Object.entries(mounts).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'kube-system',
      labels: { component: name, tier: 'control-plane' },
      ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
    },
    spec: {
      containers: [
        {
          name,
          image,
          imagePullPolicy: 'IfNotPresent',
          command: [...command],
          livenessProbe: {
            failureThreshold: 8,
            initialDelaySeconds: 10,
            periodSeconds: 10,
            timeoutSeconds: 15,
            httpGet: httpGet(probe.live) as never,
          },
          ...(probe.ready === undefined
            ? {}
            : { readinessProbe: { failureThreshold: 3, periodSeconds: 1, timeoutSeconds: 15, httpGet: httpGet(probe.ready) as never } }),
          startupProbe: {
            failureThreshold: 24,
            initialDelaySeconds: 10,
            periodSeconds: 10,
            timeoutSeconds: 15,
            httpGet: httpGet(probe.ready ?? probe.live) as never,
          },
          resources: { requests: { cpu, ...(memory === undefined ? {} : { memory }) } },
          volumeMounts: volumes.map(([volume, { path, writable }]) => ({
            name: volume,
            mountPath: path,
            ...(writable === true ? {} : { readOnly: true }),
          })),
        },
      ],
      hostNetwork: true,
      priority: 2_000_001_000,
      priorityClassName: 'system-node-critical',
      securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
      volumes: volumes.map(([volume, { path, type }]) => ({ name: volume, hostPath: { path, type } })),
    },
  };
}

/** Writes the manifest and answers where. */
export function writeManifest(folder: string, pod: ComponentPod, patches: Patches = noPatches): string {
  const path = join(folder, `${pod.name}.yaml`);
  writeFileAtomically(path, yamlOf(patches.apply(pod.name, podOf(pod))));
  return path;
}
