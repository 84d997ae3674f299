// A guide of docs/guides as a list of blocks to paste. Tests take the text from the page itself, word for word, and say of each block that they ran
// it, or why it cannot be run: so a command that is wrong, or that nobody ran, is a test that fails.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '../../../docs/guides');

interface Block {
  /** Of its first line, in the page. */
  readonly line: number;
  /** What stands behind the opening fence: sh, yaml, ts. */
  readonly language: string;
  readonly text: string;
}

export class Guide {
  readonly blocks: readonly Block[];
  readonly #name: string;
  readonly #taken = new Set<Block>();

  constructor(name: string) {
    this.#name = name;
    this.blocks = readBlocks(readFileSync(join(folder, `${name}.md`), 'utf8'));
  }

  /** The one block that has these words in it; it counts as run from now on. Throws where there are none or several. */
  block(words: string): string {
    const found = this.blocks.filter(({ text }) => text.includes(words));
    const [block] = found;
    if (block === undefined || found.length > 1) throw new Error(`${this.#name}: ${found.length} blocks with ${JSON.stringify(words)}`);
    this.#taken.add(block);
    return block.text;
  }

  /** Leaves out a block that cannot be run in a test; `why` is for readers of the test. */
  leaveOut(words: string, why: string): void {
    if (why === '') throw new Error('say why');
    this.block(words);
  }

  /** Blocks that nobody has run, each with its place and first line. */
  get untouched(): readonly string[] {
    return this.blocks
      .filter((block) => !this.#taken.has(block))
      .map(({ line, text }) => `${this.#name}.md:${line}: ${text.split('\n')[0]}`);
  }
}

function readBlocks(markdown: string): readonly Block[] {
  const blocks: Block[] = [];
  let open: { line: number; language: string; lines: string[] } | undefined;
  for (const [at, line] of markdown.split('\n').entries()) {
    const fence = /^```(.*)$/.exec(line);
    if (fence === null) open?.lines.push(line);
    else if (open === undefined) open = { line: at + 2, language: fence[1] ?? '', lines: [] };
    else {
      blocks.push({ line: open.line, language: open.language, text: `${open.lines.join('\n')}\n` });
      open = undefined;
    }
  }
  return blocks;
}
