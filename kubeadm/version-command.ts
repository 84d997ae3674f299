import { stringFlag } from '#base/flags.ts';
import { UsageError } from '#base/lifecycle.ts';
import { buildInfo } from '#base/build-info.ts';
import { command } from './command.ts';
import { yamlOf } from './config/document.ts';

export const versionCommand = command({
  name: 'version',
  about: 'Print the version of kubeadm',
  flags: { output: stringFlag('', "Output format; available options are 'yaml', 'json' and 'short'", { short: 'o' }) },
  run({ flags: { output }, host }) {
    const clientVersion = buildInfo();
    if (output === 'short') host.print(`${clientVersion.gitVersion}\n`);
    else if (output === 'json') host.print(`${JSON.stringify({ clientVersion }, null, 2)}\n`);
    else if (output === 'yaml') host.print(yamlOf({ clientVersion }));
    else if (output === '') host.print(`kubeadm version: ${inGo(clientVersion as unknown as Readonly<Record<string, string>>)}\n`);
    else throw new UsageError(`invalid output format: ${output}`, { exitCode: 1 });
  },
});

/** As Go prints it: `&version.Info{Major:"1", Minor:"36", …}`; people take the version out of it. */
function inGo(info: Readonly<Record<string, string>>): string {
  const fields = Object.entries(info).map(([name, value]) => `${name.charAt(0).toUpperCase()}${name.slice(1)}:${JSON.stringify(value)}`);
  return `&version.Info{${fields.join(', ')}}`;
}
