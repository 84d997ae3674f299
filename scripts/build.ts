// Bundles every process into one file each below dist/ (or `--outdir`). Bundles start about twice as fast as the sources and need less memory.
import { build, type Plugin } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { buildOrigin } from './build-origin.ts';

const root = join(import.meta.dirname, '..');
const entries: Record<string, string> = {
  coxswain: 'cli/main.ts',
  'kube-apiserver': 'apiserver/main.ts',
  'kube-apiserver-worker': 'apiserver/large/worker-main.ts',
  'kube-scheduler': 'scheduler/main.ts',
  'kube-controller-manager': 'controller-manager/main.ts',
  'cloud-controller-manager': 'cloud-controller-manager/main.ts',
  kubeadm: 'kubeadm/main.ts',
  kubelet: 'kubelet/main.ts',
  'kube-proxy': 'kube-proxy/main.ts',
  'coxswain-dns': 'addons/dns/main.ts',
};
/**
 * What dockerode brings for engines reached by SSH and for BuildKit sessions, and prom-client for traces; no code path of ours gets there.
 * The API server's own ways to etcd and to KMS plugins do need gRPC: it loads the package on first use, at no cost for others.
 */
const unused = ['ssh2', '@grpc/grpc-js', '@grpc/proto-loader', '@opentelemetry/api'];
const usesGrpc = /\/apiserver\/storage\/(etcd|encryption\/kms)\/[^/]*$/;

/**
 * The part of undici that client/transport.ts uses; the whole takes 6 MB of memory more in every process. Its HTTP parser is
 * WebAssembly: V8's optimizing compiler takes 16 MB for it and does not give them back, which a few microseconds are not worth.
 */
const undiciPool = `
  const { setFlagsFromString } = require('node:v8');
  setFlagsFromString('--no-wasm-tier-up');
  setFlagsFromString('--no-wasm-dynamic-tiering');
  const Dispatcher = require('undici/lib/dispatcher/dispatcher.js');
  Object.assign(Dispatcher.prototype, { request: require('undici/lib/api/api-request.js') });
  module.exports = { Dispatcher, Pool: require('undici/lib/dispatcher/pool.js'), buildConnector: require('undici/lib/core/connect.js') };
`;

const leaveOutUnused: Plugin = {
  name: 'leave-out-unused',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: new RegExp(`^(${unused.join('|')})$`) }, ({ path, importer }) =>
      usesGrpc.test(importer) ? { path, external: true } : { path, namespace: 'unused' },
    );
    onLoad({ filter: /.*/, namespace: 'unused' }, () => ({ contents: 'module.exports = {};', loader: 'js' }));
  },
};
const requireInModules =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

const { values } = parseArgs({ options: { outdir: { type: 'string', default: 'dist' } } });
const out = resolve(root, values.outdir);

await build({
  entryPoints: Object.fromEntries(Object.entries(entries).filter(([, path]) => existsSync(join(root, path)))),
  absWorkingDir: root,
  outdir: out,
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  minifyWhitespace: true,
  legalComments: 'none',
  logLevel: 'warning',
  external: ['lmdb'],
  define: { bundledOrigin: JSON.stringify(buildOrigin(root, Date.now(), process.env['SOURCE_DATE_EPOCH'])) },
  banner: {
    js: `#!/usr/bin/env node\n${requireInModules}`,
  },
  plugins: [
    leaveOutUnused,
    {
      name: 'only-the-pool-of-undici',
      setup({ onResolve, onLoad }) {
        onResolve({ filter: /^undici$/ }, () => ({ path: 'undici', namespace: 'undici-pool' }));
        onLoad({ filter: /.*/, namespace: 'undici-pool' }, () => ({ contents: undiciPool, loader: 'js', resolveDir: root }));
      },
    },
  ],
});
// What tests import from the package: modules for Node, and their types.
await build({
  entryPoints: { testing: 'testing/cluster.ts', testcontainers: 'testing/testcontainers.ts' },
  absWorkingDir: root,
  outdir: out,
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  logLevel: 'warning',
  external: ['lmdb', 'testcontainers'],
  define: { bundledOrigin: JSON.stringify(buildOrigin(root, Date.now(), process.env['SOURCE_DATE_EPOCH'])) },
  banner: { js: requireInModules },
  plugins: [leaveOutUnused],
});
writeTypes({ testing: 'testing/cluster.ts', testcontainers: 'testing/testcontainers.ts' });
mkdirSync(join(out, 'data'), { recursive: true });
for (const file of globSync('api/generated/*.json', { cwd: root })) cpSync(join(root, file), join(out, 'data', basename(file)));
for (const file of ['cli/demo/hello.mjs', 'examples/hello.yaml']) cpSync(join(root, file), join(out, 'data', basename(file)));

/** Writes the declarations of modules that speak of nothing else of this project's in them. */
function writeTypes(modules: Readonly<Record<string, string>>): void {
  mkdirSync(join(root, '.cache'), { recursive: true });
  const made = mkdtempSync(join(root, '.cache/types-'));
  const options = { declaration: true, emitDeclarationOnly: true, noEmit: false, noCheck: true, rootDir: root, outDir: made };
  const config = join(made, 'tsconfig.json');
  const files = Object.values(modules).map((path) => join(root, path));
  writeFileSync(config, JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions: options, files, include: [] }));
  const { status } = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', config], {
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) throw new Error(`the types of ${files.join(' and ')} could not be written`);
  for (const [name, path] of Object.entries(modules)) {
    cpSync(join(made, dirname(path), `${basename(path, '.ts')}.d.ts`), join(out, `${name}.d.ts`));
  }
  rmSync(made, { recursive: true });
}
