// A cable that takes its time: the host's own goes into a bridge with one TAP device, another TAP device is plugged into the switch in its place,
// and a process passes frames between the two (delay.ts).
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { attempt, type Network, run } from './network.ts';

interface LongCableOptions {
  readonly network: Network;
  /** The switch's end of the host's cable. */
  readonly cable: string;
  readonly index: number;
  readonly delayMs: number;
}

/** Opens the devices that it is told as descriptors 3 and 4 and becomes the program behind them; Node itself cannot ask for a device. */
const opener = `use Fcntl; $^F = 9; my @taps = splice(@ARGV, 0, 2);
  for my $name (@taps) {
    sysopen(my $tap, "/dev/net/tun", O_RDWR) or die "no /dev/net/tun: $!";
    ioctl($tap, 0x400454ca, pack("a16 s x22", $name, 0x1002)) or die "no device $name: $!";
    push @open, $tap;
  }
  exec(@ARGV);`;

export class LongCable {
  readonly #options: LongCableOptions;
  readonly #relay: ChildProcess;

  private constructor(options: LongCableOptions, relay: ChildProcess) {
    this.#options = options;
    this.#relay = relay;
  }

  static async start(options: LongCableOptions): Promise<LongCable> {
    const { network, index, delayMs, cable } = options;
    const { switchName } = network;
    const [near, far] = [`near${index}`, `far${index}`];
    const program = [process.execPath, join(import.meta.dirname, 'delay.ts'), String(delayMs)];
    const words = ['netns', 'exec', switchName, 'setpriv', '--pdeathsig', 'KILL', 'perl', '-e', opener, near, far, ...program];
    const relay = spawn('ip', words, { stdio: ['ignore', 'pipe', 'pipe'] });
    const made = new LongCable(options, relay);
    try {
      await new Promise<void>((resolve, reject) => {
        let said = '';
        relay.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
        relay.stdout.once('data', () => resolve());
        relay.once('exit', () => reject(new Error(`the long cable of host${index} is none: ${said}`)));
      });
      run('ip', '-n', switchName, 'link', 'add', `long${index}`, 'type', 'bridge');
      for (const [device, bridge] of [
        [near, `long${index}`],
        [far, 'br0'],
        [cable, `long${index}`],
      ] as const) {
        run('ip', '-n', switchName, 'link', 'set', device, 'master', bridge, 'up');
      }
      run('ip', '-n', switchName, 'link', 'set', `long${index}`, 'up');
      return made;
    } catch (error) {
      made.stop();
      throw error;
    }
  }

  /** Plugs the cable into the switch again. */
  stop(): void {
    const { network, index, cable } = this.#options;
    this.#relay.kill('SIGKILL');
    attempt('ip', '-n', network.switchName, 'link', 'set', cable, 'master', 'br0');
    attempt('ip', '-n', network.switchName, 'link', 'del', `long${index}`);
  }
}
