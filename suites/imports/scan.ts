/**
 * What a source file asks for: the modules it imports and the names it mentions. A small tokenizer, because it must see
 * `import type` too, which type stripping removes, and must not be fooled by comments and strings.
 */

export interface Import {
  /** As written; null when it is computed and so cannot be checked. */
  readonly specifier: string | null;
  readonly line: number;
  /** `import type` and `export type … from`: nothing of it is loaded when the program runs. */
  readonly typeOnly: boolean;
}

export interface Mention {
  /** A free name such as `Buffer`, or name and first property: `process.env`. */
  readonly name: string;
  readonly line: number;
}

export interface Scan {
  readonly imports: readonly Import[];
  readonly mentions: readonly Mention[];
}

interface Token {
  readonly kind: 'string' | 'word' | 'mark';
  /** For a string, what stands between the quotes. */
  readonly text: string;
  readonly line: number;
}

/** @param source a TypeScript or JavaScript module. */
export function scanSource(source: string): Scan {
  const tokens = readTokens(source);
  const imports: Import[] = [];
  const mentions: Mention[] = [];
  tokens.forEach((token, at) => {
    if (token.kind !== 'word' || isMark(tokens[at - 1], '.')) return;
    const found = readImport(tokens, at);
    if (found) imports.push({ ...found, line: token.line });
    mentions.push({ name: token.text, line: token.line });
    const property = isMark(tokens[at + 1], '.') ? tokens[at + 2] : undefined;
    if (property) mentions.push({ name: `${token.text}.${property.text}`, line: token.line });
  });
  return { imports, mentions };
}

function readImport(tokens: readonly Token[], at: number): Omit<Import, 'line'> | null {
  const next = tokens[at + 1];
  const argument = isMark(next, '(') ? tokens[at + 2] : undefined;
  const path = argument?.kind === 'string' ? argument.text : null;
  switch (tokens[at]?.text) {
    case 'import':
      if (argument) return { specifier: path, typeOnly: false };
      if (next?.kind === 'string') return { specifier: next.text, typeOnly: false };
      return readFrom(tokens, at + 1);
    case 'export':
      return readFrom(tokens, at + 1);
    case 'require':
      return argument ? { specifier: path, typeOnly: false } : null;
    case 'URL': // new URL('./worker.ts', import.meta.url) loads a file of ours as much as an import does
      return path && /^\.\.?\//.test(path) ? { specifier: path, typeOnly: false } : null;
    default:
      return null;
  }
}

/** `[type] {…} | * as x | x, {…}  from 'y'`, the rest of an import or export; null when it is neither. */
function readFrom(tokens: readonly Token[], start: number): Omit<Import, 'line'> | null {
  const typeOnly = tokens[start]?.text === 'type' && tokens[start + 1]?.text !== 'from';
  let at = typeOnly ? start + 1 : start;
  while (tokens[at]?.kind === 'word' || /^[{},*]$/.test(tokens[at]?.text ?? '')) {
    const [from, target] = [tokens[at], tokens[at + 1]];
    if (from?.text === 'from' && target?.kind === 'string') return { specifier: target.text, typeOnly };
    at += 1;
  }
  return null;
}

function isMark(token: Token | undefined, text: string): boolean {
  return token?.kind === 'mark' && token.text === text;
}

const SPACE = /(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)+/uy;
const WORD = /[\p{ID_Start}$_#\d][\p{ID_Continue}$]*/uy;
const STRING = /'((?:\\.|[^'\\\n])*)'|"((?:\\.|[^"\\\n])*)"/uy;
const PATTERN = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])*\/\w*/uy;
const MARK = /\.\.\.|\?\.|[\s\S]/uy;
const TEMPLATE_TEXT = /(?:\\[\s\S]|\$(?!\{)|[^`\\$])*(`|\$\{)/uy;

/** After these a slash begins a regular expression; after any other word, `)`, `]` or `}` it divides. */
const BEFORE_PATTERN = new Set(['return', 'typeof', 'case', 'in', 'of', 'void', 'throw', 'await', 'yield']);

function readTokens(source: string): Token[] {
  const tokens: Token[] = [];
  /** For each open template the number of braces open in its `${…}`. */
  const templates: number[] = [];
  let at = 0;
  let line = 1;

  function take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = at;
    const match = pattern.exec(source);
    if (match) {
      at = pattern.lastIndex;
      line += match[0].split('\n').length - 1;
    }
    return match;
  }
  /** From behind a backtick, or behind the brace that ends a `${…}`, to the next `${` or the end of the template. */
  function takeTemplateText(): void {
    if (take(TEMPLATE_TEXT)?.[1] === '${') templates.push(0);
  }

  while (at < source.length) {
    if (take(SPACE)) continue;
    const start = line;
    const previous = tokens.at(-1);
    const divides =
      previous && (previous.kind === 'word' ? !BEFORE_PATTERN.has(previous.text) : /^[)\]}]$/.test(previous.text));
    if (source[at] === '/' && !divides && take(PATTERN)) continue;
    const string = take(STRING);
    const word = string ? null : take(WORD);
    if (string) tokens.push({ kind: 'string', text: string[1] ?? string[2] ?? '', line: start });
    if (word) tokens.push({ kind: 'word', text: word[0], line: start });
    if (string || word) continue;

    const mark = take(MARK)?.[0].replace('?.', '.') ?? '';
    const depth = templates.at(-1);
    if (mark === '`') {
      takeTemplateText();
    } else if (mark === '}' && depth === 0) {
      templates.pop();
      takeTemplateText();
    } else {
      if (depth !== undefined && mark === '{') templates[templates.length - 1] = depth + 1;
      if (depth !== undefined && mark === '}') templates[templates.length - 1] = depth - 1;
      tokens.push({ kind: 'mark', text: mark, line: start });
    }
  }
  return tokens;
}
