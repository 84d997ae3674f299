// The text of an expression and how problems with it are shown: with the place, the line and a pointer below it. Offsets and columns count
// code points, not UTF-16 units.
import type { CelProblem, Offset } from './ast.ts';

/** Problems past these are only counted. */
const maxProblemsShown = 100;
/** A longer line (in bytes) is not repeated below the message. */
const maxLineBytes = 16_384;
const beyondAscii = /[^\0-\x7f]/u;

export class Source {
  readonly text: string;
  readonly description: string;
  /** One code point per place. A text without surrogates is its own sequence of code points. */
  readonly #points: string | readonly string[];
  #lineStarts: readonly Offset[] | undefined;

  constructor(text: string, description = '<input>') {
    this.text = text;
    this.description = description;
    this.#points = /[\ud800-\udfff]/.test(text) ? Array.from(text) : text;
  }

  /** In code points. */
  get length(): number {
    return this.#points.length;
  }

  /** The code point at an offset; undefined past the end. */
  at(offset: Offset): string | undefined {
    return this.#points[offset];
  }

  slice(from: Offset, to: Offset): string {
    const part = this.#points.slice(from, to);
    return typeof part === 'string' ? part : part.join('');
  }

  /** The line counts from 1, the column from 0. Upstream points before the beginning of an empty text. */
  locate(offset: Offset): { line: number; column: number } {
    if (this.length === 0) return { line: 1, column: -1 };
    const starts = this.#starts();
    let line = 1;
    while (line < starts.length && (starts[line] ?? 0) <= offset) line += 1;
    return { line, column: offset - (starts[line - 1] ?? 0) };
  }

  /** A line's text without its end; undefined where there is no such line. */
  line(line: number): string | undefined {
    const starts = this.#starts();
    const from = starts[line - 1];
    if (from === undefined || this.length === 0) return undefined;
    return this.slice(from, (starts[line] ?? this.length + 1) - 1);
  }

  #starts(): readonly Offset[] {
    if (this.#lineStarts === undefined) {
      const starts = [0];
      for (let offset = 0; offset < this.length; offset += 1) {
        if (this.#points[offset] === '\n') starts.push(offset + 1);
      }
      this.#lineStarts = starts;
    }
    return this.#lineStarts;
  }
}

/** All problems in the order of their places, one below the other; those without a place come first. */
export function showProblems(source: Source, problems: readonly CelProblem[]): string {
  const shown = problems.slice(0, maxProblemsShown).sort((a, b) => (a.at ?? -1) - (b.at ?? -1));
  const lines = shown.map((problem) => showProblem(source, problem));
  const more = problems.length - shown.length;
  if (more > 0) lines.push(`${more} more errors were truncated`);
  return lines.join('\n');
}

function showProblem(source: Source, { at, message }: CelProblem): string {
  const { line, column } = at === undefined ? { line: -1, column: -1 } : source.locate(at);
  const head = `ERROR: ${source.description}:${line}:${column + 1}: ${message}`;
  const text = source.line(line)?.replaceAll('\t', ' ');
  if (text === undefined || Buffer.byteLength(text) > maxLineBytes) return head;
  return `${head}\n | ${text}\n | ${pointer(Array.from(text), Math.max(column, 0))}`;
}

/** Dots up to the column and a caret below it, wide ones below characters beyond ASCII. */
function pointer(text: readonly string[], column: number): string {
  const dots = text.slice(0, column).map((point) => (beyondAscii.test(point) ? '\uff0e' : '.'));
  return dots.join('') + (beyondAscii.test(text[column] ?? '') ? '\uff3e' : '^');
}
