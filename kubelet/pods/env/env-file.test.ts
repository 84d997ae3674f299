import { expect, test } from 'vitest';
import { variableOf } from './env-file.ts';

test.each<[name: string, text: string, value: string | undefined]>([
  ['the first of several', "A='a'\nK='v'\nK='w'\n", 'v'],
  ['indented, between comments and blank lines', "# K='no'\n\n \t K='v'\n", 'v'],
  ['a comment behind it', "K='v' \t # 'more'\n", 'v'],
  ['without an end of line', "K='v'", 'v'],
  ['lines that end as on Windows', "A='a'\r\nK='v'\r\n", 'v'],
  ['nothing', "K=''\n", ''],
  ['only spaces', "K='  '\n", '  '],
  ['what a shell would expand', 'K=\'$A ${B} `c` \\n "d" # = e\'\n', '$A ${B} `c` \\n "d" # = e'],
  ['several lines', "K='one\n\n# two\n three '\nA='a'\n", 'one\n\n# two\n three '],
  ['after several lines', "A='one\ntwo'\nK='v'\n", 'v'],
  ['not there', "A='K'\nB='b'\n", undefined],
  ['an empty file', '', undefined],
  ['wrong only behind it', "K='v'\nnonsense\n", 'v'],
])('%s', (_, text, value) => expect(variableOf(text, 'K')).toBe(value));

test.each<[name: string, text: string, message: string]>([
  ['no variable', "A='a'\nnonsense\n", 'invalid environment variable format at line 2'],
  ['no name', "='a'\n", 'invalid environment variable format at line 1'],
  ['space before the sign', "K ='v'\n", "at line 1: whitespace before '=' is not allowed"],
  ['space behind it', "K= 'v'\n", 'at line 1: value must be enclosed in single quotes'],
  ['no quotes', 'A=a\n', 'at line 1: value must be enclosed in single quotes'],
  ['other quotes', 'K="v"\n', 'at line 1: value must be enclosed in single quotes'],
  ['two values', "K='v''w'\n", 'at line 1: unexpected content after closing quote'],
  ['more behind it', "K='v'w\n", 'at line 1: unexpected content after closing quote'],
  ['a comment without a space', "K='v'#w\n", 'at line 1: unexpected content after closing quote'],
  ['a quote that is never closed', "A='one\ntwo'\n\nK='v\n", 'at line 4: unclosed single quote'],
])('%s is an error', (_, text, message) => expect(() => variableOf(text, 'K')).toThrow(message));
