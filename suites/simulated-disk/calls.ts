/** Reads the list that strace has written: one system call each, with the moments at which it began and ended. */

/** When something happened: numbers of lines in the list, which is in the order in which strace saw it. */
export interface Span {
  readonly began: number;
  /** Infinite: it never came to its end. */
  readonly ended: number;
}

export interface SystemCall extends Span {
  readonly name: string;
  /** As strace prints them: strings in quotation marks, each byte as `\xNN`. */
  readonly args: readonly string[];
  /** What it returned; null: nothing. */
  readonly result: number | null;
}

const UNFINISHED = ' <unfinished ...>';
const WHOLE = /^(\d+) +(\w+)\((.*)\) += (-?\d+|\?)(?: .*)?$/s;
const RESUMED = /^(\d+) +<\.\.\. (\w+) resumed>(.*)$/s;

/** @returns the calls in the order in which they ended. Those that did not are at the end. */
export function readCalls(list: string): SystemCall[] {
  const calls: SystemCall[] = [];
  const open = new Map<string, { began: number; text: string }>();
  for (const [line, printed] of list.split('\n').entries()) {
    let [began, text] = [line, printed];
    const [, thread = '', name, rest] = RESUMED.exec(text) ?? [];
    if (rest !== undefined) {
      const before = open.get(thread);
      if (!before) throw new Error(`line ${line + 1} resumes ${name}, which has not begun`);
      open.delete(thread);
      began = before.began;
      text = before.text + rest;
    }
    if (text.endsWith(UNFINISHED)) {
      const [id = ''] = text.split(' ', 1);
      open.set(id, { began, text: text.slice(0, -UNFINISHED.length) });
      continue;
    }
    const call = readCall(text, began, line);
    if (call) calls.push(call);
  }
  for (const { began, text } of open.values()) {
    const call = readCall(`${text}) = ?`, began, Number.POSITIVE_INFINITY);
    if (call) calls.push(call);
  }
  return calls;
}

function readCall(text: string, began: number, ended: number): SystemCall | null {
  if (text === '' || /^\d+ +(\+\+\+|---)/.test(text)) return null;
  const [, , name, args, result] = WHOLE.exec(text) ?? [];
  if (name === undefined || args === undefined) throw new Error(`line ${began + 1} is no call: ${text.slice(0, 200)}`);
  return { name, args: split(args), result: result === '?' ? null : Number(result), began, ended };
}

/** Structures and lists stay whole. In strings there is neither a comma nor a bracket. */
function split(args: string): string[] {
  const found: string[] = [];
  let [depth, start] = [0, 0];
  for (let at = 0; at < args.length; at++) {
    const char = args[at];
    if (char === '"') at = args.indexOf('"', at + 1);
    else if (char === '{' || char === '[') depth++;
    else if (char === '}' || char === ']') depth--;
    else if (char === ',' && depth === 0) {
      found.push(args.slice(start, at).trim());
      start = at + 1;
    }
  }
  return [...found, args.slice(start).trim()];
}

/** The bytes of a string. @throws Error when strace has left some out. */
export function readBytes(printed: string): Buffer {
  if (!printed.startsWith('"') || !printed.endsWith('"')) throw new Error(`not a whole string: ${printed.slice(-20)}`);
  return Buffer.from(printed.slice(1, -1).replaceAll('\\x', ''), 'hex');
}

/** The bytes of `[{iov_base="…", iov_len=…}, …]`, one after the other. */
export function readVector(printed: string): Buffer {
  const parts = [...printed.matchAll(/iov_base=("[^"]*"(?:\.\.\.)?)/g)].map(([, text = '']) => readBytes(text));
  return Buffer.concat(parts);
}
