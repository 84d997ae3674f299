// `kubeadm reset`: takes this host out of its cluster, as far as that can be reached, and removes what init or join made.
import { type Call, type Command, command } from '../command.ts';
import { phaseCommand, phaseList, refuseUnknownPhases, runPhases } from '../phase.ts';
import { loadReset, resetFlags } from './flags.ts';
import { type ResetJob, resetPhases } from './phases.ts';

export const resetCommand: Command = command({
  name: 'reset',
  about: "Performs a best effort revert of changes made to this host by 'kubeadm init' or 'kubeadm join'",
  details: phaseList('reset', resetPhases),
  flags: resetFlags,
  commands: [phaseCommand(resetPhases, { name: 'reset', flags: resetFlags, prepare })],
  async run(call) {
    await using job = prepare(call);
    refuseUnknownPhases(resetPhases, job.skippedPhases);
    await runPhases(resetPhases, job, job.skippedPhases);
    job.host.print(farewell);
  },
});

function prepare({ flags, given, host }: Call<typeof resetFlags>): ResetJob {
  return { ...loadReset(flags, given), host, [Symbol.asyncDispose]: () => Promise.resolve() };
}

const farewell = `
The reset process does not touch the kubeconfig files of users and does not remove this host's Node from the cluster:
kubectl delete node NAME, on a control plane that stays, does that.

Please, check the contents of the $HOME/.kube/config file.
`;
