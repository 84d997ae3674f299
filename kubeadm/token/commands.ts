// `kubeadm token …`
import { boolFlag, durationFlag, listFlag, stringFlag } from '#base/flags.ts';
import { UsageError } from '#base/lifecycle.ts';
import { findEndpoint } from '#client/kubeconfig.ts';
import { connect, type RestClient } from '#client/rest.ts';
import { type Command, command, group } from '../command.ts';
import { kubernetesFolder } from '../config/cluster.ts';
import { joinCommandText, joinTargetOf } from '../join/join-command.ts';
import type { Surroundings } from '../surroundings.ts';
import { shortDuration, textTable } from '../text-table.ts';
import {
  type BootstrapToken,
  defaultTokenGroups,
  defaultTokenTtlMs,
  generateToken,
  parseToken,
  secondsText,
  tokenText,
  tokenUsages,
} from './bootstrap-token.ts';
import { deleteToken, listTokens, storeToken } from './store.ts';

const kubeconfigFlag = {
  kubeconfig: stringFlag(`${kubernetesFolder}/admin.conf`, 'The kubeconfig file to use when talking to the cluster.'),
};

export const tokenCommand: Command = group('token', 'Manage bootstrap tokens', [
  command({
    name: 'create',
    about: 'Create bootstrap tokens on the server',
    flags: {
      ...kubeconfigFlag,
      'certificate-key': stringFlag(
        '',
        "When used together with '--print-join-command', print the full 'kubeadm join' flag needed to join the cluster as a control-plane.",
      ),
      description: stringFlag('', 'A human friendly description of how this token is used.'),
      groups: listFlag(
        defaultTokenGroups,
        'Extra groups that this token will authenticate as when used for authentication. Must match "\\\\Asystem:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]\\\\z"',
      ),
      'print-join-command': boolFlag(
        false,
        "Instead of printing only the token, print the full 'kubeadm join' flag needed to join the cluster using the token.",
      ),
      ttl: durationFlag(
        defaultTokenTtlMs,
        "The duration before the token is automatically deleted (e.g. 1s, 2m, 3h). If set to '0', the token will never expire",
      ),
      usages: listFlag(tokenUsages, 'Describes the ways in which this token can be used.'),
    },
    maxArgs: 1,
    async run({ flags, args, host }) {
      const { id, secret } = parseToken(args[0] ?? generateToken());
      checkUsages(flags.usages);
      checkGroups(flags.groups);
      const expiresMs = flags.ttl === 0 ? undefined : host.clock.nowMs() + flags.ttl;
      const token: BootstrapToken = { id, secret, description: flags.description, expiresMs, usages: flags.usages, groups: flags.groups };
      await using client = clientOf(flags.kubeconfig, host);
      await storeToken(client, token, host);
      const key = flags['certificate-key'];
      const joins = {
        ...joinTargetOf(flags.kubeconfig),
        token: tokenText(token),
        ...(key === '' ? {} : { controlPlane: { certificateKey: key } }),
      };
      host.print(flags['print-join-command'] ? `${joinCommandText(joins).replaceAll('\\\n\t', '')}\n` : `${tokenText(token)}\n`);
    },
  }),
  command({
    name: 'delete',
    about: 'Delete bootstrap tokens on the server',
    flags: kubeconfigFlag,
    maxArgs: Number.POSITIVE_INFINITY,
    async run({ flags, args, host }) {
      if (args.length === 0)
        throw new UsageError(`missing argument; 'token delete' is missing token of form "[a-z0-9]{6}" or "[a-z0-9]{6}.[a-z0-9]{16}"`);
      await using client = clientOf(flags.kubeconfig, host);
      for (const text of args) host.print(`bootstrap token ${JSON.stringify(await deleteToken(client, text, host.signal))} deleted\n`);
    },
  }),
  command({
    name: 'generate',
    about: 'Generate and print a bootstrap token, but do not create it on the server',
    flags: {},
    run: ({ host }) => host.print(`${generateToken()}\n`),
  }),
  command({
    name: 'list',
    about: 'List bootstrap tokens on the server',
    flags: kubeconfigFlag,
    async run({ flags, host }) {
      await using client = clientOf(flags.kubeconfig, host);
      const tokens = await listTokens(client, (reason) => host.warn(`${reason}\n`), host.signal);
      host.print(
        textTable([
          ['TOKEN', 'TTL', 'EXPIRES', 'USAGES', 'DESCRIPTION', 'EXTRA GROUPS'],
          ...tokens.map((token) => rowOf(token, host.clock.nowMs())),
        ]),
      );
    },
  }),
]);

function clientOf(path: string, { clock }: Surroundings): RestClient {
  return connect(findEndpoint({ path, env: {} }), { clock, component: 'kubeadm' });
}

function rowOf(token: BootstrapToken, nowMs: number): readonly string[] {
  const { expiresMs, usages, groups, description } = token;
  return [
    tokenText(token),
    expiresMs === undefined ? '<forever>' : shortDuration(expiresMs - nowMs),
    expiresMs === undefined ? '<never>' : secondsText(expiresMs),
    usages.join(',') || '<none>',
    description || '<none>',
    groups.join(',') || '<none>',
  ];
}

function checkUsages(usages: readonly string[]): void {
  const bad = usages.filter((usage) => !tokenUsages.includes(usage));
  if (bad.length > 0) throw new UsageError(`invalid usages: ${bad.join(',')}, valid usages: ${[...tokenUsages].sort().join(',')}`);
}

function checkGroups(groups: readonly string[]): void {
  const bad = groups.find((group) => !/^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/.test(group));
  if (bad !== undefined)
    throw new UsageError(
      `invalid groups: bootstrap group ${JSON.stringify(bad)} is invalid (must match \\Asystem:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]\\z)`,
    );
}
