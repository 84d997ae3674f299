// Fails when an import points up or sideways in the house, when a deciding file imports I/O, or when a file grew too long.
// Prints one line for each finding, with the place.
import { globSync, readFileSync } from 'node:fs';
import { join, normalize, dirname } from 'node:path';

const root = join(import.meta.dirname, '..');
const services = ['apiserver', 'scheduler', 'controller-manager', 'cloud-controller-manager', 'kubelet', 'kube-proxy', 'addons', 'kubeadm'];
const everything = ['base', 'api', 'client', ...services, 'cli', 'testing', 'test', 'scripts', 'deploy'];
/** What each top folder may import, itself included. */
const allowed: Record<string, string[]> = {
  base: ['base'],
  api: ['base', 'api'],
  client: ['base', 'api', 'client'],
  ...Object.fromEntries(services.map((service) => [service, ['base', 'api', 'client', service]])),
  cli: everything,
  testing: everything,
  test: everything,
  scripts: everything,
  deploy: everything,
};
const pureFiles = /(^|\/)(plan|advance)\.ts$/;
const pureImports = /^(node:(fs|net|http|https|http2|tls|dgram|child_process|dns|timers).*|undici|ws|dockerode|lmdb|fastify)$/;
/** Tests, the suites that every implementation of a contract runs, and what starts a service for tests. */
const testFile = /(\.test|(^|\/)testing|(^|\/)conformance)\.ts$/;
const maxLines = 500;
const maxFunctionLines = 70;

const problems: string[] = [];
const files = globSync('**/*.ts', { cwd: root, exclude: (path) => /(^|\/)(node_modules|dist|\.cache|generated)(\/|$)/.test(path) });
for (const file of files) {
  const top = file.split('/')[0] ?? '';
  if (!(top in allowed)) continue;
  const text = readFileSync(join(root, file), 'utf8');
  checkImports(file, top, text);
  checkSizes(file, text);
}
for (const problem of problems.sort()) process.stdout.write(`${problem}\n`);
process.exit(problems.length > 0 ? 1 : 0);

function checkImports(file: string, top: string, text: string): void {
  for (const [, specifier = ''] of text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)) {
    const target = specifier.startsWith('#')
      ? specifier.slice(1)
      : specifier.startsWith('.')
        ? normalize(join(dirname(file), specifier))
        : undefined;
    if (target === undefined) {
      if (pureFiles.test(file) && pureImports.test(specifier)) problems.push(`${file}: decides, so it may not import ${specifier}`);
      continue;
    }
    const targetTop = target.split('/')[0] ?? '';
    if (specifier.startsWith('.') && targetTop !== top) problems.push(`${file}: use '#${target}' instead of '${specifier}'`);
    const isTest = testFile.test(file);
    const may = allowed[top] ?? [];
    if (!may.includes(targetTop) && !(isTest && (targetTop === 'apiserver' || targetTop === 'testing' || targetTop === 'test'))) {
      problems.push(`${file}: ${top} may not import ${targetTop} (${specifier})`);
    }
  }
}

function checkSizes(file: string, text: string): void {
  const lines = text.split('\n');
  const isData = lines[0]?.startsWith('// data:') ?? false;
  if (lines.length > maxLines + 1 && !isData) problems.push(`${file}: ${lines.length - 1} lines, more than ${maxLines}`);
  if (testFile.test(file) || isData) return;
  // A function starts at a line that ends in `{` and looks like one, and ends at the closing brace of the same indent.
  lines.forEach((line, at) => {
    const start = /^(\s*)(?:export )?(?:async )?(?:function\*? |(?:override |static |async |get |set |\*)*#?[\w]+\(.*\)(?:: .*)? \{$)/.exec(
      line,
    );
    if (start === null || !line.endsWith('{') || /^\s*(if|for|while|switch|catch|return)\b/.test(line)) return;
    const end = lines.indexOf(`${start[1]}}`, at + 1);
    if (end - at > maxFunctionLines) problems.push(`${file}:${at + 1}: a function of ${end - at} lines, more than ${maxFunctionLines}`);
  });
}
