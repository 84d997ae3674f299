// The sandbox's image, made here and imported once into the engine under a tag of our own.
import { RuntimeError } from '../contract.ts';
import type { Engine } from './engine.ts';
import { pauseProgram } from './pause-program.ts';

/** The number rises when the program changes. */
export const pauseImage = 'coxswain/pause:1';

/** Makes sure that the built-in sandbox image is in the engine. `architecture` as the engine spells it: x86_64, aarch64. */
export async function ensurePauseImage(engine: Engine, architecture: string, signal: AbortSignal): Promise<void> {
  try {
    await engine.call('GET', `/images/${pauseImage}/json`, {}, signal);
    return;
  } catch (error) {
    if (!(error instanceof RuntimeError && error.code === 'NotFound')) throw error;
  }
  const [repo, tag] = pauseImage.split(':');
  const changes = ['ENTRYPOINT ["/pause"]', 'LABEL coxswain.image=pause'];
  const upload = tarOf('pause', pauseProgram(goArchitecture(architecture)));
  const answer = await engine.stream('POST', '/images/create', { query: { fromSrc: '-', repo, tag, changes }, upload }, signal);
  let text = '';
  for await (const chunk of answer) text += String(chunk);
  const failure = /"error":"([^"]*)"/.exec(text);
  if (failure !== null) throw new RuntimeError('Refused', `cannot import the sandbox image: ${failure[1]}`);
}

/** Go's name for what uname and Docker call a machine. */
export function goArchitecture(machine: string): string {
  const names: Record<string, string> = { x86_64: 'amd64', aarch64: 'arm64', armv7l: 'arm', i686: '386' };
  return names[machine] ?? machine;
}

/** A tar archive of one executable file. */
function tarOf(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(512);
  const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;
  header.write(name, 0);
  header.write(octal(0o755, 8), 100);
  header.write(octal(0, 8), 108);
  header.write(octal(0, 8), 116);
  header.write(octal(content.length, 12), 124);
  header.write(octal(0, 12), 136);
  header.write('        ', 148);
  header.write('0', 156);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
  return Buffer.concat([header, content, padding, Buffer.alloc(1024)]);
}
