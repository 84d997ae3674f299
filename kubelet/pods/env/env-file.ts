// Files of variables, as containers write them for those that start after them (fileKeyRef; pkg/kubelet/util/env). A line is
// NAME='value': nothing stands around the equals sign, the value is what stands between single quotes, over several lines too, and every
// character of it stands for itself. Blank lines are nothing, and so is what begins with # before a name or after a value.

/** A file of variables says something else; the message says where. */
class EnvFileError extends Error {
  override readonly name = 'EnvFileError';
}

/** The first value that `text` gives to `key`; undefined: none. What stands behind it is not looked at. */
export function variableOf(text: string, key: string): string | undefined {
  for (const { name, value } of variables(text)) if (name === key) return value;
  return undefined;
}

function* variables(text: string): Generator<{ readonly name: string; readonly value: string }> {
  let [at, line] = [0, 1];
  const fail = (why: string): never => {
    throw new EnvFileError(`invalid environment variable format at line ${line}${why === '' ? '' : `: ${why}`}`);
  };
  while (at < text.length) {
    const newline = text.indexOf('\n', at);
    const end = newline === -1 ? text.length : newline;
    const start = text.slice(at, end).replace(/\r$/, '').trimStart();
    if (start === '' || start.startsWith('#')) {
      at = end + 1;
      line++;
      continue;
    }
    const [, name = '', spaces = '', rest] = /^([^=]*?)([ \t]*)=(.*)$/s.exec(start) ?? [];
    if (rest === undefined || name === '') return fail('');
    if (spaces !== '') fail("whitespace before '=' is not allowed");
    if (!rest.startsWith("'")) fail('value must be enclosed in single quotes');
    const open = text.indexOf("='", at) + 2;
    const close = text.indexOf("'", open);
    if (close === -1) fail('unclosed single quote');
    const next = text.indexOf('\n', close);
    const tail = text.slice(close + 1, next === -1 ? text.length : next);
    if (!/^[ \t\r]*$|^[ \t]+#/.test(tail)) fail('unexpected content after closing quote');
    const value = text.slice(open, close);
    yield { name, value };
    line += value.split('\n').length;
    at = next === -1 ? text.length : next + 1;
  }
}
