/** TOML 1.0 with the line of each key. */
import { type AST, getStaticTOMLValue, ParseError, parseTOML } from 'toml-eslint-parser';

/** Keys and indices from the top of the document. */
export type Path = readonly (string | number)[];

export interface Fault {
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

export interface Toml {
  readonly values: Readonly<Record<string, unknown>>;
  /** The line of a key, or of the table around it when the key is absent. */
  lineOf(path: Path): number;
}

/** Advice for faults of which Windows paths are the usual cause. */
const ADVICE: Readonly<Record<string, string>> = {
  'Invalid character in escape sequence': 'write Windows paths in single quotes',
  'Invalid code point': 'write Windows paths in single quotes',
  'Unexpected character': 'texts need quotes',
};

/** @returns the first fault of the syntax instead, if there is one. */
export function parseToml(text: string): Toml | Fault {
  try {
    const program = parseTOML(text, { tomlVersion: '1.0' });
    const lines = new Map<string, number>();
    for (const node of program.body[0].body) {
      if (node.type === 'TOMLTable') lines.set(keyOf(node.resolvedKey), node.loc.start.line);
      const [inside, pairs] = node.type === 'TOMLTable' ? [node.resolvedKey, node.body] : [[], [node]];
      for (const pair of pairs) addLines(lines, inside, pair);
    }
    return {
      values: getStaticTOMLValue(program) as Record<string, unknown>,
      lineOf(path) {
        for (let length = path.length; length > 0; length--) {
          const line = lines.get(keyOf(path.slice(0, length)));
          if (line !== undefined) return line;
        }
        return 1;
      },
    };
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const advice = ADVICE[error.message];
    return { line: error.lineNumber, message: advice === undefined ? error.message : `${error.message}: ${advice}` };
  }
}

function addLines(lines: Map<string, number>, inside: Path, { key, value, loc }: AST.TOMLKeyValue): void {
  const path = [...inside, ...key.keys.map((part) => (part.type === 'TOMLBare' ? part.name : part.value))];
  lines.set(keyOf(path), loc.start.line);
  // `meta.a = 1` makes the table `meta`.
  const table = keyOf(path.slice(0, inside.length + 1));
  if (!lines.has(table)) lines.set(table, loc.start.line);
  if (value.type === 'TOMLInlineTable') for (const pair of value.body) addLines(lines, path, pair);
}

function keyOf(path: Path): string {
  return JSON.stringify(path);
}
