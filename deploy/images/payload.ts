// What every image holds of Coxswain: Node, the bundles, and the packages that bundles leave outside.
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const home = 'opt/coxswain';
/** Loaded at run time: LMDB is native code, and gRPC is only wanted by those who have an etcd. */
const packages = ['lmdb', '@grpc/grpc-js', '@grpc/proto-loader'];
export const programs = [
  'coxswain',
  'kube-apiserver',
  'kube-controller-manager',
  'cloud-controller-manager',
  'kube-scheduler',
  'kube-proxy',
  'kubeadm',
  'kubelet',
  'coxswain-dns',
] as const;

export type Program = (typeof programs)[number];

/** Where a program lies in an image. */
export function bundleOf(program: Program): string {
  return `/${home}/dist/${program}.js`;
}

/** Fills `folder` with the files of an image. `root` is the checkout, built. */
export function stagePayload(root: string, folder: string): void {
  const target = join(folder, home);
  cpSync(join(root, 'dist'), join(target, 'dist'), { recursive: true });
  for (const folder of closure(root)) {
    cpSync(join(root, 'node_modules', folder), join(target, 'node_modules', folder), { recursive: true, filter: isWanted });
  }
  writeFileSync(join(target, 'package.json'), readFileSync(join(root, 'package.json')));
  const bin = join(folder, 'usr/local/bin');
  mkdirSync(bin, { recursive: true });
  cpSync(realpathSync(process.execPath), join(bin, 'node'));
  for (const program of programs) {
    chmodSync(join(target, 'dist', `${program}.js`), 0o755);
    symlinkSync(bundleOf(program), join(bin, program));
  }
}

/** Adds what Node needs of a system where there is none: the C library and its kin, names of users and hosts, a folder for temporary files. */
export function stageSystem(folder: string): void {
  const natives = [process.execPath, join(folder, home, 'node_modules/@lmdb/lmdb-linux-x64/node.napi.glibc.node')].filter(existsSync);
  for (const library of new Set(natives.flatMap(librariesOf))) {
    mkdirSync(join(folder, dirname(library)), { recursive: true });
    cpSync(realpathSync(library), join(folder, library));
  }
  mkdirSync(join(folder, 'tmp'), { mode: 0o1777 });
  mkdirSync(join(folder, 'etc'), { recursive: true });
  writeFileSync(join(folder, 'etc/passwd'), 'root:x:0:0:root:/:/sbin/nologin\n');
  writeFileSync(join(folder, 'etc/group'), 'root:x:0:\n');
  writeFileSync(join(folder, 'etc/nsswitch.conf'), 'hosts: files dns\n');
}

/** Paths of the shared libraries that a file of machine code loads. */
export function librariesOf(path: string): readonly string[] {
  const text = execFileSync('ldd', [path], { encoding: 'utf8' });
  return [...text.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, library = '']) => library);
}

/** Folders below `node_modules` of the packages and of all that they need, where that is installed. Nested ones come with their parents. */
function closure(root: string): ReadonlySet<string> {
  const found = new Set<string>();
  const waiting = packages.map((name) => ({ name, from: '' }));
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { name, from } = next;
    const folder = [join(from, 'node_modules', name), name].find((path) => existsSync(join(root, 'node_modules', path, 'package.json')));
    if (folder === undefined || found.has(folder)) continue;
    found.add(folder);
    const manifest = readFileSync(join(root, 'node_modules', folder, 'package.json'), 'utf8');
    const { dependencies = {}, optionalDependencies = {} } = JSON.parse(manifest) as Record<string, Record<string, string>>;
    for (const needed of [...Object.keys(dependencies), ...Object.keys(optionalDependencies)]) waiting.push({ name: needed, from: folder });
  }
  return found;
}

/** Leaves out what only developers read, and machine code for other systems. */
function isWanted(path: string): boolean {
  return !/\.(d\.[cm]?ts|map|md)$|\/(grpc-js\/src|lmdb\/(dependencies|src))$|\.abi\d+\.glibc\.node$|\.musl\.node$/.test(path);
}
