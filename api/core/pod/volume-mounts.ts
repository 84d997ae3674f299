// Where containers see volumes.
import type { V1Container, V1VolumeDevice, V1VolumeMount } from '#api/generated/types.ts';
import { oneOfIfSet } from '../../meta/field-checks.ts';
import { forbiddenField } from '../../meta/field-problem.ts';
import type { Problems } from '../../meta/problems.ts';
import { Seen } from '../../meta/seen.ts';
import type { Unchecked } from '../../meta/unchecked.ts';
import { validateNoBacksteps, validateRelativePath } from './paths.ts';

/** Valid volumes of the pod: by name, whether a raw device can be had from it. */
export type VolumeNames = ReadonlyMap<string, boolean>;

type Mount = Unchecked<V1VolumeMount>;
type Device = Unchecked<V1VolumeDevice>;
type Container = Unchecked<Pick<V1Container, 'volumeMounts' | 'volumeDevices' | 'securityContext'>>;

interface MountContext {
  readonly container: Container;
  readonly volumes: VolumeNames;
  readonly mountPaths: Seen;
}

/** Mounts of one container. */
export function checkVolumeMounts(container: Container, at: Problems, volumes: VolumeNames): void {
  at.each('volumeMounts', container.volumeMounts, checkMount, { container, volumes, mountPaths: new Seen() });
}

/** Paths without an index are upstream's. */
function checkMount(mount: Mount, at: Problems, { container, volumes, mountPaths }: MountContext): void {
  const { name = '', mountPath = '', subPath = '', subPathExpr = '' } = mount;
  if (name === '') at.required('name');
  if (!volumes.has(name)) at.notFound('name', name);
  if (mountPath === '') at.required('mountPath');
  if (!mountPaths.add(mountPath)) at.invalid('mountPath', mountPath, 'must be unique');
  if (container.volumeDevices !== undefined) checkNoDevice(mount, at, container.volumeDevices);
  if (subPath !== '') at.addAll(validateRelativePath(at.path('subPath', 1), subPath));
  if (subPathExpr !== '') {
    if (subPath !== '') at.invalid('subPathExpr', subPathExpr, 'subPathExpr and subPath are mutually exclusive');
    at.addAll(validateRelativePath(at.path('subPathExpr', 1), subPathExpr));
  }
  checkPropagation(mount, at, container.securityContext?.privileged === true);
  checkRecursiveReadOnly(mount, at);
}

function checkNoDevice({ name = '', mountPath = '' }: Mount, at: Problems, devices: readonly Device[]): void {
  if (devices.some((device) => device.name === name)) at.invalid('name', name, 'must not already exist in volumeDevices');
  if (devices.some((device) => device.devicePath === mountPath)) {
    at.invalid('mountPath', mountPath, 'must not already exist as a path in volumeDevices');
  }
}

function checkPropagation({ mountPropagation }: Mount, at: Problems, isPrivileged: boolean): void {
  if (mountPropagation === undefined) return;
  const field = at.path('mountPropagation', 1);
  at.addAll(oneOfIfSet(field, mountPropagation, ['Bidirectional', 'HostToContainer', 'None']));
  if (mountPropagation === 'Bidirectional' && !isPrivileged) {
    at.add(forbiddenField(field, 'Bidirectional mount propagation is available only to privileged containers'));
  }
}

function checkRecursiveReadOnly({ recursiveReadOnly, readOnly, mountPropagation = 'None' }: Mount, at: Problems): void {
  if (recursiveReadOnly === undefined || recursiveReadOnly === 'Disabled') return;
  const field = at.path('recursiveReadOnly', 1);
  if (recursiveReadOnly !== 'Enabled' && recursiveReadOnly !== 'IfPossible') {
    at.addAll(oneOfIfSet(field, recursiveReadOnly, ['Disabled', 'Enabled', 'IfPossible']));
    return;
  }
  if (readOnly !== true) at.add(forbiddenField(field, 'may only be specified when readOnly is true'));
  if (mountPropagation !== 'None') {
    at.add(forbiddenField(field, 'may only be specified when mountPropagation is None or not specified'));
  }
}

interface DeviceContext {
  readonly mounts: readonly Mount[];
  readonly volumes: VolumeNames;
  readonly names: Seen;
  readonly paths: Seen;
}

/** Raw block devices of one container. */
export function checkVolumeDevices({ volumeDevices, volumeMounts: mounts = [] }: Container, at: Problems, volumes: VolumeNames): void {
  if (volumeDevices === undefined) return;
  at.each('volumeDevices', volumeDevices, checkDevice, { mounts, volumes, names: new Seen(), paths: new Seen() });
}

function checkDevice({ name = '', devicePath = '' }: Device, at: Problems, { mounts, volumes, names, paths }: DeviceContext): void {
  if (name === '') at.required('name');
  else if (!names.add(name)) at.invalid('name', name, 'must be unique');
  const isClaim = volumes.get(name);
  if (isClaim === undefined) at.notFound('name', name);
  else if (!isClaim) at.invalid('name', name, 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode');
  if (devicePath === '') at.required('devicePath');
  if (paths.has(devicePath)) at.invalid('devicePath', devicePath, 'must be unique');
  if (validateNoBacksteps('', devicePath).length > 0) at.invalid('devicePath', devicePath, "can not contain backsteps ('..')");
  else paths.add(devicePath);
  if (mounts.some((mount) => mount.name === name)) at.invalid('name', name, 'must not already exist in volumeMounts');
  if (mounts.some((mount) => mount.mountPath === devicePath)) {
    at.invalid('devicePath', devicePath, 'must not already exist as a path in volumeMounts');
  }
}
