// Where containers see volumes.
import type { V1Container, V1VolumeDevice, V1VolumeMount } from '#api/generated/types.ts';
import { oneOfIfSet } from '../../meta/field-checks.ts';
import { type FieldProblem, forbiddenField, invalid, required, valueNotFound } from '../../meta/field-problem.ts';
import type { Unchecked } from '../../meta/unchecked.ts';
import { validateNoBacksteps, validateRelativePath } from './paths.ts';

/** Valid volumes of the pod: by name, whether a raw device can be had from it. */
export type VolumeNames = ReadonlyMap<string, { readonly isClaim: boolean }>;

type Mount = Unchecked<V1VolumeMount>;
type Device = Unchecked<V1VolumeDevice>;

/** Mounts of one container. Paths without an index are upstream's. */
export function validateVolumeMounts(container: Unchecked<V1Container>, volumes: VolumeNames, path: string): FieldProblem[] {
  const seen = new Set<string>();
  return (container.volumeMounts ?? []).flatMap((mount, at) => {
    const own = `${path}[${at}]`;
    const { name = '', mountPath = '', subPath = '', subPathExpr = '' } = mount;
    const problems: FieldProblem[] = [];
    if (name === '') problems.push(required(`${own}.name`));
    if (!volumes.has(name)) problems.push(valueNotFound(`${own}.name`, name));
    if (mountPath === '') problems.push(required(`${own}.mountPath`));
    if (seen.has(mountPath)) problems.push(invalid(`${own}.mountPath`, mountPath, 'must be unique'));
    seen.add(mountPath);
    problems.push(...validateNoDevice(mount, container.volumeDevices ?? [], own));
    if (subPath !== '') problems.push(...validateRelativePath(`${path}.subPath`, subPath));
    if (subPathExpr !== '') {
      const text = 'subPathExpr and subPath are mutually exclusive';
      if (subPath !== '') problems.push(invalid(`${own}.subPathExpr`, subPathExpr, text));
      problems.push(...validateRelativePath(`${path}.subPathExpr`, subPathExpr));
    }
    const isPrivileged = container.securityContext?.privileged === true;
    problems.push(...validatePropagation(mount, isPrivileged, `${path}.mountPropagation`));
    return [...problems, ...validateRecursiveReadOnly(mount, `${path}.recursiveReadOnly`)];
  });
}

function validateNoDevice({ name = '', mountPath = '' }: Mount, devices: readonly Device[], path: string): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (devices.some((device) => device.name === name)) {
    problems.push(invalid(`${path}.name`, name, 'must not already exist in volumeDevices'));
  }
  if (devices.some((device) => device.devicePath === mountPath)) {
    problems.push(invalid(`${path}.mountPath`, mountPath, 'must not already exist as a path in volumeDevices'));
  }
  return problems;
}

function validatePropagation({ mountPropagation }: Mount, isPrivileged: boolean, field: string): FieldProblem[] {
  const problems = oneOfIfSet(field, mountPropagation, ['Bidirectional', 'HostToContainer', 'None']);
  if (mountPropagation === 'Bidirectional' && !isPrivileged) {
    problems.push(forbiddenField(field, 'Bidirectional mount propagation is available only to privileged containers'));
  }
  return problems;
}

function validateRecursiveReadOnly({ recursiveReadOnly, readOnly, mountPropagation }: Mount, field: string): FieldProblem[] {
  if (recursiveReadOnly === undefined || recursiveReadOnly === 'Disabled') return [];
  if (recursiveReadOnly !== 'Enabled' && recursiveReadOnly !== 'IfPossible') {
    return oneOfIfSet(field, recursiveReadOnly, ['Disabled', 'Enabled', 'IfPossible']);
  }
  const problems: FieldProblem[] = [];
  if (readOnly !== true) problems.push(forbiddenField(field, 'may only be specified when readOnly is true'));
  if (mountPropagation !== undefined && mountPropagation !== 'None') {
    problems.push(forbiddenField(field, 'may only be specified when mountPropagation is None or not specified'));
  }
  return problems;
}

/** Raw block devices of one container. */
export function validateVolumeDevices(
  devices: readonly Device[],
  mounts: readonly Mount[],
  volumes: VolumeNames,
  path: string,
): FieldProblem[] {
  const names = new Set<string>();
  const paths = new Set<string>();
  return devices.flatMap(({ name = '', devicePath = '' }, at) => {
    const own = `${path}[${at}]`;
    const problems: FieldProblem[] = [];
    if (name === '') problems.push(required(`${own}.name`));
    if (names.has(name)) problems.push(invalid(`${own}.name`, name, 'must be unique'));
    const volume = volumes.get(name);
    if (volume === undefined) problems.push(valueNotFound(`${own}.name`, name));
    else if (!volume.isClaim) {
      const text = 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode';
      problems.push(invalid(`${own}.name`, name, text));
    }
    if (devicePath === '') problems.push(required(`${own}.devicePath`));
    if (paths.has(devicePath)) problems.push(invalid(`${own}.devicePath`, devicePath, 'must be unique'));
    if (validateNoBacksteps(own, devicePath).length > 0) {
      problems.push(invalid(`${own}.devicePath`, devicePath, "can not contain backsteps ('..')"));
    } else {
      paths.add(devicePath);
    }
    if (mounts.some((mount) => mount.name === name)) {
      problems.push(invalid(`${own}.name`, name, 'must not already exist in volumeMounts'));
    }
    if (mounts.some((mount) => mount.mountPath === devicePath)) {
      problems.push(invalid(`${own}.devicePath`, devicePath, 'must not already exist as a path in volumeMounts'));
    }
    if (name !== '') names.add(name);
    return problems;
  });
}
