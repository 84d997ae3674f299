import { hostname } from 'node:os';
import { systemClock } from '#base/clock.ts';
import { HeapTrim } from '#base/heap-trim.ts';
import { runMain } from '#base/lifecycle.ts';
import { verbosityLevel } from '#base/log.ts';
import { createMetrics } from '#base/metrics.ts';
import { DebugPages } from '#base/profiling/debug-pages.ts';
import { processMetrics } from '#base/process-metrics.ts';
import { version } from '#base/version.ts';
import { ClientMetrics } from '#client/client-metrics.ts';
import { reportFeatureGates } from '#client/feature-gates/feature-gates.ts';
import { connect } from '#client/rest.ts';
import { apiEndpoint, parseConfig } from './config.ts';
import { ensureIdentity } from './identity/bootstrap.ts';
import { runKubelet } from './kubelet.ts';
import { CniNetwork } from './network/cni/cni-network.ts';
import { HostRules } from './network/host-rules.ts';
import { PortDialer } from './network/port-dialer.ts';
import { DockerRuntime } from './runtime/docker/docker-runtime.ts';
import { readTls } from './server/tls.ts';
import { absentClient } from './standalone.ts';
import { systemMounter } from './volumes/mounter.ts';

await runMain('kubelet', async ({ argv, env, signal, log, logLevel }) => {
  const config = parseConfig(argv, hostname());
  // The command line was heard before; the configuration file may say it as well.
  if (env['COXSWAIN_LOG_LEVEL'] === undefined && config.verbosity > 0) logLevel.level = verbosityLevel(config.verbosity);
  const metrics = createMetrics();
  processMetrics(metrics);
  reportFeatureGates(config.flags['feature-gates'] ?? '', { metrics, log });
  const rules = new HostRules({ log }, config.clusterCidrs.length === 0 ? {} : { clusterCidrs: config.clusterCidrs });
  const network = new CniNetwork({ log, rules }, { stateFolder: `${config.rootDir}/network` });
  const runtime = new DockerRuntime({ clock: systemClock, log, network, dialer: new PortDialer() }, { socketPath: config.dockerSocket });
  // What the engine is and refuses takes as long to find out as a certificate takes to come. A failure is reported when it is awaited.
  void runtime.info(signal).catch(() => undefined);
  await ensureIdentity(config.identity, { clock: systemClock, log }, signal);
  const own = { clock: systemClock, component: 'kubelet', version, metrics: new ClientMetrics(metrics) };
  await using connection = config.isStandalone ? undefined : connect(apiEndpoint(config, env), own);
  const client = connection ?? absentClient();
  const tls = await readTls(config.server, {
    nodeName: config.nodeName,
    certFolder: config.identity.certFolder,
    nowMs: systemClock.nowMs(),
  });
  const debug = new DebugPages({ clock: systemClock, logLevel, ...config.debugging, argv: ['kubelet', ...argv] });
  const beside = [new HeapTrim({ clock: systemClock })];
  await runKubelet(config, { client, runtime, mounter: systemMounter(), tls, metrics, debug, beside, clock: systemClock, log }, signal);
});
