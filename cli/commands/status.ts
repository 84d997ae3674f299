import { type Node, node } from '#api/core/node/node.ts';
import { UsageError } from '#base/lifecycle.ts';
import { connect } from '#client/rest.ts';
import { components } from '../cluster/components.ts';
import { adminEndpoint } from '../cluster/kubeconfig.ts';
import { milestones, readyText } from '../cluster/readiness.ts';
import { findRunning } from '../supervisor/process-table.ts';
import type { CommandContext } from './context.ts';
import { layoutFor, parseOptions } from './options.ts';

/** `coxswain status`: processes, nodes and what is missing; exit code 0 only when the cluster is Ready. */
export async function status(context: CommandContext): Promise<void> {
  const options = parseOptions('status', context.argv);
  const layout = layoutFor(options);
  const config = layout.readConfig();
  if (config === undefined) throw new UsageError(`there is no cluster in ${layout.dataDir}`, { exitCode: 1 });
  const names = ['supervisor', ...components(layout, config, context.bundleDir).map(({ name }) => name)];
  const rows = names.map((name) => {
    const record = findRunning(layout, name);
    return [
      name,
      record === undefined ? 'stopped' : 'running',
      record === undefined ? '' : String(record.pid),
      record === undefined ? '' : String(record.starts),
    ];
  });
  context.print(`cluster ${config.name}, API server https://${config.nodeIp}:${config.port}, data in ${layout.dataDir}\n\n`);
  context.print(table([['PROCESS', 'STATE', 'PID', 'STARTS'], ...rows]));

  await using client = connect(adminEndpoint(layout), { clock: context.clock, component: 'coxswain', requestLimitMs: 5_000 });
  const missing: string[] = rows.filter(([, state]) => state !== 'running').map(([name]) => `${name} does not run`);
  for (const { title, check } of milestones(client, config, context.clock)) {
    const state = await check(context.signal).catch((error: unknown) => String(error instanceof Error ? error.message : error));
    if (state !== true) missing.push(`not yet: ${title}: ${state}`);
  }
  const nodes: readonly Node[] = await client.list(node, {}, context.signal).then(
    ({ items }) => items,
    () => [],
  );
  if (nodes.length > 0) {
    const lines = nodes.map((one) => [
      one.metadata.name ?? '',
      readyText(one) === true ? 'Ready' : 'NotReady',
      one.status?.nodeInfo?.kubeletVersion ?? '',
    ]);
    context.print(`\n${table([['NODE', 'STATUS', 'VERSION'], ...lines])}`);
  }
  if (missing.length > 0) throw new UsageError(`the cluster is not Ready\n  ${missing.join('\n  ')}`, { exitCode: 1 });
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('   ')
          .trimEnd()}\n`,
    )
    .join('');
}
