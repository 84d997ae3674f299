// The kernel's side: a route that makes an address one that packets may come in for, and a proxy entry that makes the kernel answer ARP for
// it on one interface. The address is no address of the host: what no Service serves at it is refused, and nothing of the host is
// reached by it. Neighbours that have cached the address are updated by gratuitous ARP, which perl sends: every Debian has it.
import { type CommandOutcome, runCommand } from '#base/run-command.ts';

/** Marks our routes; another mark than that of routes to other nodes' pods. */
const announceMark = '88';

export interface Announced {
  readonly address: string;
  readonly device: string;
}

interface Device {
  readonly index: number;
  readonly mac: string;
}

export class AnnounceKernel {
  readonly #run: typeof runCommand;
  /** What the kernel waited before it answered for others, by device, to put it back. */
  readonly #delays = new Map<string, string>();

  constructor(run: typeof runCommand = runCommand) {
    this.#run = run;
  }

  /** What is announced, after this process or an earlier one. */
  async read(signal: AbortSignal): Promise<readonly Announced[]> {
    const routes = parseList<{ dst: string }>(await this.#ask('ip', ['-j', 'route', 'show', 'proto', announceMark], signal));
    const proxies = parseList<{ dst: string; dev: string }>(await this.#ask('ip', ['-j', 'neigh', 'show', 'proxy'], signal));
    return routes.map(({ dst }) => ({ address: dst, device: proxies.find((proxy) => proxy.dst === dst)?.dev ?? '' }));
  }

  /** Makes the kernel answer for what is new, and for what is gone no more. */
  async change(added: readonly Announced[], gone: readonly Announced[], signal: AbortSignal): Promise<void> {
    for (const device of new Set(added.map((one) => one.device))) await this.#answerAtOnce(device, signal);
    const lines = [
      ...gone.flatMap(({ address, device }) => (device === '' ? [] : [`neigh del proxy ${address} dev ${device}`])),
      ...gone.map(({ address }) => `route del ${address}/32 dev lo proto ${announceMark}`),
      ...added.map(({ address }) => `route replace ${address}/32 dev lo proto ${announceMark}`),
      ...added.map(({ address, device }) => `neigh add proxy ${address} dev ${device}`),
    ];
    if (lines.length === 0) return;
    check('ip -batch', await this.#run('ip', ['-force', '-batch', '-'], `${lines.join('\n')}\n`, signal));
  }

  /** Announces the addresses to neighbours, which update their ARP entries. */
  async shout(announced: readonly Announced[], signal: AbortSignal): Promise<void> {
    const devices = new Map<string, Device>();
    for (const name of new Set(announced.map(({ device }) => device))) devices.set(name, await this.#device(name, signal));
    const lines = announced.flatMap(({ address, device }) => {
      const { index, mac } = devices.get(device) ?? { index: 0, mac: '' };
      return gratuitousFrames(mac, address).map((frame) => `${index} ${frame}`);
    });
    check('perl', await this.#run('perl', ['-e', sender], `${lines.join('\n')}\n`, signal));
  }

  /** Puts back what was set for devices that announce nothing any more. */
  async restore(signal: AbortSignal): Promise<void> {
    for (const [device, delay] of this.#delays) await this.#setDelay(device, delay, signal);
    this.#delays.clear();
  }

  /** By default the kernel waits up to 0.8 s before it answers for another. */
  async #answerAtOnce(device: string, signal: AbortSignal): Promise<void> {
    if (this.#delays.has(device)) return;
    const before = (await this.#ask('cat', [delaySetting(device)], signal)).trim();
    check('proxy_delay', await this.#setDelay(device, '0', signal));
    this.#delays.set(device, before);
  }

  #setDelay(device: string, value: string, signal: AbortSignal): Promise<CommandOutcome> {
    return this.#run('tee', [delaySetting(device)], value, signal);
  }

  async #device(name: string, signal: AbortSignal): Promise<Device> {
    const [found] = parseList<{ ifindex: number; address: string }>(await this.#ask('ip', ['-j', 'link', 'show', 'dev', name], signal));
    return { index: found?.ifindex ?? 0, mac: (found?.address ?? '').replaceAll(':', '') };
  }

  async #ask(program: string, args: readonly string[], signal: AbortSignal): Promise<string> {
    const outcome = await this.#run(program, args, '', signal);
    check(`${program} ${args.join(' ')}`, outcome);
    return outcome.stdout;
  }
}

/** Takes away what an earlier process announced; what is not there does not matter. */
export async function removeAnnounced(signal: AbortSignal): Promise<void> {
  const kernel = new AnnounceKernel();
  await kernel.change([], await kernel.read(signal), signal);
}

/**
 * An ARP request and an answer in which sender and target are the same, as hexadecimal Ethernet frames: some neighbours heed only the
 * one, some the other.
 * @param mac twelve hexadecimal digits.
 */
function gratuitousFrames(mac: string, address: string): readonly string[] {
  const ip = address
    .split('.')
    .map((part) => Number(part).toString(16).padStart(2, '0'))
    .join('');
  const everybody = 'ffffffffffff';
  const frame = (operation: string, target: string): string => `${everybody}${mac}0806000108000604${operation}${mac}${ip}${target}${ip}`;
  return [frame('0001', '000000000000'), frame('0002', everybody)];
}

/** Reads lines of interface index and frame, and sends them: AF_PACKET is 17, SOCK_RAW 3, ARP 0x0806; sockaddr_ll is packed by hand. */
const sender = `socket(my $s, 17, 3, 0) or die "socket: $!";
while (<STDIN>) {
  my ($index, $hex) = split;
  my $frame = pack('H*', $hex);
  defined send($s, $frame, 0, pack('SnlSCCa8', 17, 0x0806, $index, 1, 0, 6, substr($frame, 0, 6))) or die "send: $!";
}`;

function delaySetting(device: string): string {
  return `/proc/sys/net/ipv4/neigh/${device}/proxy_delay`;
}

function parseList<T>(text: string): readonly T[] {
  return text.trim() === '' ? [] : (JSON.parse(text) as T[]);
}

function check(what: string, { code, stderr }: CommandOutcome): void {
  if (code !== 0) throw new Error(`${what}: ${stderr.trim()}`);
}
