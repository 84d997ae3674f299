// Patches of what kubeadm writes: files of one folder, named TARGET[SUFFIX][+TYPE].EXTENSION, applied in the order of their names.
// https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/control-plane-flags/#patches
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { pod } from '#api/core/pod/pod.ts';
import { applyJsonPatch } from '#api/patch/json-patch.ts';
import { applyMergePatch } from '#api/patch/merge-patch.ts';
import { applyStrategicMergePatch } from '#api/patch/strategic-merge.ts';
import type { Json, JsonObject } from '#api/meta/object.ts';
import { builtinSchemas } from '#api/schema/schemas.ts';
import { stringFlag } from '#base/flags.ts';
import { UsageError } from '#base/lifecycle.ts';
import { reasonOf } from '#base/write-file.ts';
import { yamlDocuments, yamlOf } from '../config/document.ts';

export const patchesFlag = stringFlag(
  '',
  'Path to a directory that contains files named "target[suffix][+patchtype].extension". For example, "kube-apiserver0+merge.yaml" or just "etcd.json". "target" can be one of "kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd", "kubeletconfiguration". "patchtype" can be one of "strategic", "merge" or "json"; the default is "strategic". "extension" must be either "json" or "yaml".',
);

const targets = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubeletconfiguration'] as const;
const types = ['strategic', 'merge', 'json'] as const;

interface Patch {
  readonly path: string;
  readonly target: string;
  readonly type: (typeof types)[number];
  readonly value: Json;
}

export class Patches {
  readonly #patches: readonly Patch[];

  constructor(patches: readonly Patch[]) {
    this.#patches = patches;
  }

  /** The object with every patch of `target`. Throws a UsageError that names the file. */
  apply(target: string, object: object): object {
    return this.#patches
      .filter((patch) => patch.target === target)
      .reduce<object>((now, patch) => applied(now as JsonObject, patch), object);
  }

  applyToText(target: string, text: string): string {
    return this.#patches.some((patch) => patch.target === target) ? yamlOf(this.apply(target, parse(text) as object)) : text;
  }
}

export const noPatches = new Patches([]);

/** The patches of a folder; none for ''. Throws a UsageError that names the file. */
export function readPatches(folder: string): Patches {
  if (folder === '') return noPatches;
  let files: readonly string[];
  try {
    files = readdirSync(folder).sort();
  } catch (error) {
    throw new UsageError(`could not list patch files for path ${JSON.stringify(folder)}: ${reasonOf(error)}`, { cause: error });
  }
  return new Patches(files.filter((file) => /\.(json|ya?ml)$/.test(file)).flatMap((file) => patchesIn(join(folder, file), file)));
}

function patchesIn(path: string, file: string): readonly Patch[] {
  const [, name = '', type = 'strategic'] = /^([^+]*)(?:\+(.*))?\.(?:json|yaml)$/.exec(file) ?? [];
  const target = targets.find((one) => name.startsWith(one));
  if (target === undefined) throw new UsageError(`unknown target in patch file ${path}: must be one of ${targets.join(', ')}`);
  const known = types.find((one) => one === type);
  if (known === undefined) throw new UsageError(`unknown patch type in patch file ${path}: must be one of ${types.join(', ')}`);
  const values = yamlDocuments(readFileSync(path, 'utf8'), `patch file ${path}`) as readonly Json[];
  return values.map((value) => ({ path, target, type: known, value }));
}

function applied(object: JsonObject, { path, target, type, value }: Patch): JsonObject {
  try {
    if (type === 'json') return applyJsonPatch(object, value) as JsonObject;
    // Lists of a KubeletConfiguration have no merge strategy: they are replaced, as upstream does.
    if (type === 'merge' || target === 'kubeletconfiguration') return applyMergePatch(object, value) as JsonObject;
    return applyStrategicMergePatch(object, value, builtinSchemas().get(pod.schema));
  } catch (error) {
    throw new UsageError(`could not apply the patch ${path} to ${target}: ${reasonOf(error)}`, { exitCode: 1, cause: error });
  }
}
