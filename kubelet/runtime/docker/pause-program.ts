// The program that holds a sandbox's namespaces open: it has the kernel reap whatever is orphaned into it (SIGCHLD ignored), waits for
// SIGTERM or SIGINT and ends. Emitted as a static ELF file from a few machine words, so that no registry or compiler is needed.

const baseAddress = 0x400000;
const headerBytes = 64 + 56;
/** SIGINT and SIGTERM as a signal set. */
const waitedSignals = (1n << 1n) | (1n << 14n);
const sigchld = 17;

const machines = { amd64: 62, arm64: 183 } as const;

/** The program as an executable file. Throws for a machine it cannot write for. */
export function pauseProgram(architecture: string): Buffer {
  if (architecture === 'amd64') return elf(machines.amd64, amd64Code);
  if (architecture === 'arm64') return elf(machines.arm64, arm64Code);
  throw new Error(`no built-in sandbox program for ${architecture}: name a pause image instead`);
}

/** Code that knows where its data lies: first the signal set, then the sigaction that says "ignore". */
type CodeWriter = (setAddress: number, actionAddress: number, codeAddress: number) => Buffer;

function elf(machine: number, write: CodeWriter): Buffer {
  const codeAddress = baseAddress + headerBytes;
  const codeBytes = write(0, 0, codeAddress).length;
  const setAddress = codeAddress + codeBytes;
  const code = write(setAddress, setAddress + 8, codeAddress);
  const data = Buffer.alloc(9);
  data.writeBigUInt64LE(waitedSignals, 0);
  // sa_handler = SIG_IGN; the other 31 bytes of the structure are the zeros that the kernel puts behind the file's end.
  data.writeUInt8(1, 8);
  const fileBytes = headerBytes + code.length + data.length;

  const header = Buffer.alloc(headerBytes);
  header.write('\x7fELF', 0, 'latin1');
  header.set([2, 1, 1], 4); // 64 bit, little endian, version 1
  header.writeUInt16LE(2, 16); // executable
  header.writeUInt16LE(machine, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(BigInt(codeAddress), 24);
  header.writeBigUInt64LE(64n, 32); // where the program header is
  header.writeUInt16LE(64, 52);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(1, 56); // one program header
  header.writeUInt32LE(1, 64); // load
  header.writeUInt32LE(5, 68); // readable, executable
  header.writeBigUInt64LE(BigInt(baseAddress), 80);
  header.writeBigUInt64LE(BigInt(baseAddress), 88);
  header.writeBigUInt64LE(BigInt(fileBytes), 96);
  header.writeBigUInt64LE(BigInt(fileBytes + 31), 104);
  header.writeBigUInt64LE(0x10000n, 112);
  return Buffer.concat([header, code, data]);
}

function amd64Code(setAddress: number, actionAddress: number): Buffer {
  const word = (value: number): number[] => [value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >> 24) & 255];
  const syscall = [0x0f, 0x05];
  const start = [
    [0xbf, ...word(sigchld)], // mov edi, SIGCHLD
    [0xbe, ...word(actionAddress)], // mov esi, action
    [0x31, 0xd2], // xor edx, edx
    [0x6a, 8, 0x41, 0x5a], // r10 = 8
    [0x6a, 13, 0x58, ...syscall], // rt_sigaction
    [0x31, 0xff], // xor edi, edi: SIG_BLOCK
    [0xbe, ...word(setAddress)], // mov esi, set
    [0x6a, 14, 0x58, ...syscall], // rt_sigprocmask
  ].flat();
  const wait = [
    [0xbf, ...word(setAddress)], // mov edi, set
    [0x31, 0xf6], // xor esi, esi
    [0xb8, ...word(128), ...syscall], // rt_sigtimedwait
    [0x85, 0xc0], // test eax, eax
  ].flat();
  const end = [
    [0x31, 0xff], // xor edi, edi
    [0xb8, ...word(231), ...syscall], // exit_group(0)
  ].flat();
  return Buffer.from([...start, ...wait, 0x78, 256 - (wait.length + 2), ...end]); // js wait
}

function arm64Code(setAddress: number, actionAddress: number, codeAddress: number): Buffer {
  const words: number[] = [];
  const set = (register: number, value: number): unknown => words.push(0xd2800000 | (value << 5) | register);
  const point = (register: number, target: number): unknown => {
    const offset = target - (codeAddress + words.length * 4);
    return words.push(0x10000000 | ((offset & 3) << 29) | (((offset >> 2) & 0x7ffff) << 5) | register);
  };
  const syscall = (number: number): unknown => {
    set(8, number);
    return words.push(0xd4000001);
  };
  set(0, sigchld);
  point(1, actionAddress);
  set(2, 0);
  set(3, 8);
  syscall(134); // rt_sigaction; answers 0 in x0, which is SIG_BLOCK for the next call
  point(1, setAddress);
  syscall(135); // rt_sigprocmask
  const wait = words.length;
  point(0, setAddress);
  set(1, 0);
  syscall(137); // rt_sigtimedwait
  words.push(0x37f80000 | (((wait - words.length) & 0x3fff) << 5)); // tbnz w0, #31, wait
  set(0, 0);
  syscall(94); // exit_group(0)
  const code = Buffer.alloc(words.length * 4);
  words.forEach((value, at) => code.writeUInt32LE(value >>> 0, at * 4));
  return code;
}
