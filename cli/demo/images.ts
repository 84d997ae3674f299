// The demo images, made of what the machine has: its Node binary with the libraries it needs, and Debian's static busybox.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { spawn } from 'node:child_process';
import { UsageError } from '#base/lifecycle.ts';
import { pauseImage } from '#kubelet/runtime/docker/pause-image.ts';

interface DemoImage {
  readonly reference: string;
  /** Lines of a Dockerfile that set what the image runs. */
  readonly changes: readonly string[];
  readonly hasNode: boolean;
}

const helloChanges = (message: string): string[] => [
  `ENV PATH=/usr/local/bin:/bin MESSAGE="${message}"`,
  'EXPOSE 8080',
  'CMD ["/usr/local/bin/node", "/hello.mjs"]',
];
const demoImages: readonly DemoImage[] = [
  { reference: 'coxswain/busybox:1', changes: ['ENV PATH=/bin', 'CMD ["/bin/sh"]'], hasNode: false },
  { reference: 'coxswain/hello:1', changes: helloChanges('Hello from Coxswain, version 1'), hasNode: true },
  { reference: 'coxswain/hello:2', changes: helloChanges('Hello from Coxswain, version 2'), hasNode: true },
];

/** Builds the demo images that the engine behind `socketPath` lacks. `helloPath` is the server's source. */
export async function buildDemoImages(socketPath: string, helloPath: string, detail: (text: string) => void): Promise<void> {
  for (const image of demoImages) {
    if ((await engineRequest(socketPath, 'GET', `/images/${image.reference}/json`)).status === 200) continue;
    detail(image.reference);
    const folder = mkdtempSync(join(tmpdir(), 'coxswain-image-'));
    try {
      fillRoot(folder, image, helloPath);
      await importImage(socketPath, folder, image);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

/** Removes the images that a cluster made here; what is in use or already gone stays as it is. */
export async function removeOwnImages(socketPath: string): Promise<void> {
  const references = [...demoImages.map(({ reference }) => reference), pauseImage];
  for (const reference of references) await engineRequest(socketPath, 'DELETE', `/images/${reference}`);
}

function fillRoot(folder: string, image: DemoImage, helloPath: string): void {
  for (const path of ['bin', 'etc', 'tmp', 'proc', 'sys', 'dev', 'root', 'usr/local/bin', 'var/run'])
    mkdirSync(join(folder, path), { recursive: true });
  chmodSync(join(folder, 'tmp'), 0o1777);
  const busybox = ['/bin/busybox', '/usr/bin/busybox'].find((path) => existsSync(path));
  if (busybox === undefined) throw new UsageError('the demo images need busybox (Debian: apt-get install busybox-static)', { exitCode: 3 });
  copyFileSync(busybox, join(folder, 'bin/busybox'));
  for (const applet of execFileSync(busybox, ['--list'], { encoding: 'utf8' }).trim().split('\n')) {
    if (applet !== 'busybox') symlinkSync('busybox', join(folder, 'bin', applet));
  }
  writeFileSync(join(folder, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n');
  writeFileSync(join(folder, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n');
  writeFileSync(join(folder, 'etc/nsswitch.conf'), 'hosts: files dns\n');
  if (!image.hasNode) return;
  copyFileSync(helloPath, join(folder, 'hello.mjs'));
  copyFileSync(process.execPath, join(folder, 'usr/local/bin/node'));
  chmodSync(join(folder, 'usr/local/bin/node'), 0o755);
  for (const library of librariesOf(process.execPath)) {
    mkdirSync(join(folder, dirname(library)), { recursive: true });
    cpSync(realpathSync(library), join(folder, library));
  }
}

/** Shared libraries of a program with its loader, and what glibc loads by name to resolve hosts. */
function librariesOf(program: string): string[] {
  const listed = execFileSync('ldd', [program], { encoding: 'utf8' }).match(/\/\S+/g) ?? [];
  const paths = listed.filter((path) => path.includes('.so'));
  const libc = paths.find((path) => basename(path) === 'libc.so.6');
  const resolvers =
    libc === undefined ? [] : ['libnss_dns.so.2', 'libnss_files.so.2', 'libresolv.so.2'].map((name) => join(dirname(libc), name));
  return [...new Set([...paths, ...resolvers.filter((path) => existsSync(path))])];
}

async function importImage(socketPath: string, folder: string, { reference, changes }: DemoImage): Promise<void> {
  const [repository = '', tag = ''] = reference.split(':');
  const query = new URLSearchParams([
    ['fromSrc', '-'],
    ['repo', repository],
    ['tag', tag],
    ...changes.map((change) => ['changes', change] as [string, string]),
  ]);
  const tar = spawn('tar', ['-c', '--numeric-owner', '--owner=0', '--group=0', '-C', folder, '.'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { status, text } = await engineRequest(socketPath, 'POST', `/images/create?${query}`, tar.stdout);
  if (status !== 200 || text.includes('"error"')) throw new Error(`the engine refused to import ${reference}: ${text.trim()}`);
}

/** One request to the engine; the whole answer as text. */
async function engineRequest(
  socketPath: string,
  method: string,
  path: string,
  body?: NodeJS.ReadableStream,
): Promise<{ status: number; text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
  const call = request(
    { socketPath, method, path, headers: body === undefined ? {} : { 'Content-Type': 'application/x-tar' } },
    (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.on('error', reject);
    },
  );
  call.on('error', reject);
  if (body === undefined) call.end();
  else await pipeline(body, new PassThrough(), call);
  return promise;
}
