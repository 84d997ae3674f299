import { join } from 'node:path';
import { kubernetesFolder } from './config/cluster.ts';

/** Where a control plane keeps its files. */
export interface Folders {
  readonly kubernetes: string;
  readonly manifests: string;
  readonly certificates: string;
  readonly kubelet: string;
}

/** The standard paths, or the same below another folder. */
export function foldersAt(certificatesDir: string, base = ''): Folders {
  const kubernetes = join('/', base, kubernetesFolder);
  return {
    kubernetes,
    manifests: join(kubernetes, 'manifests'),
    certificates: base === '' ? certificatesDir : join('/', base, certificatesDir),
    kubelet: join('/', base, '/var/lib/kubelet'),
  };
}
