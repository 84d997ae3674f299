// A whole cluster in this process: API server, control loops, scheduler, and kubelets over simulated runtimes. Containers are functions,
// so there is no engine, no host and no root; kubectl sees no difference until it asks them to run something else.
import { type Cluster, type ContainerProgram, startCluster } from '#testing/cluster.ts';
import type { Kubectl } from '#test/testbed/kubectl.ts';
import { KubectlFolder } from '../kinds/kubectl-folder.ts';

export interface RunningCluster extends AsyncDisposable {
  readonly bare: KubectlFolder;
  readonly cluster: Cluster;
}

/** Prints a line, then runs until it is told to end. */
const server: ContainerProgram = async ({ print, terminated }) => {
  await print('hello\n');
  await terminated;
  return 0;
};
/** What `exec` finds in every container. */
const programs: Readonly<Record<string, ContainerProgram>> = {
  true: () => Promise.resolve(0),
  false: () => Promise.resolve(1),
  echo: async ({ print, command }) => {
    await print(`${command.slice(1).join(' ')}\n`);
    return 0;
  },
};

/** Starts one with nodes named `node-1` and so on; resolves when all are Ready. */
export async function startRunningCluster(kubectl: Kubectl, nodes = 2): Promise<RunningCluster> {
  const cluster = await startCluster({ nodes, programs, program: server });
  const bare = new KubectlFolder(kubectl, cluster.kubeconfig);
  return {
    bare,
    cluster,
    [Symbol.asyncDispose]: async () => {
      bare.remove();
      await cluster.stop();
    },
  };
}
