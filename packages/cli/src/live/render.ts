/** Draws the live view. The more room there is for a folder, the larger are its letters. */
import { printable } from '../output/printable.ts';
import type { WatchReport } from '../state/report.ts';
import { type Block, clock, describeFolder } from './blocks.ts';
import { bigText } from './font.ts';
import type { Colour, Paint } from './paint.ts';

export interface View {
  readonly config: string;
  /** `silent`: it runs and has not reported for a minute. */
  readonly process: 'running' | 'silent' | 'stopped';
  readonly report: WatchReport | null;
  /** Of the log. */
  readonly lastLine: string | null;
  readonly nowMs: number;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** How many rows a folder takes, from the largest form to the smallest. */
const FORMS = [
  { rows: 17, hasLetters: true, hasMore: true, details: 4 },
  { rows: 10, hasLetters: true, hasMore: false, details: 3 },
  { rows: 4, hasLetters: false, hasMore: false, details: 3 },
  { rows: 2, hasLetters: false, hasMore: false, details: 0 },
] as const;
const SMALLEST = FORMS[3];
const MARGIN = ' ';
/** Problems first, folders without work last. */
const ORDER: readonly Colour[] = ['red', 'cyan', 'yellow', 'green'];

/** @returns at most `rows` lines of at most `columns` characters, without the colours. @param columns 40 at least. */
export function render(view: View, { columns, rows }: Size, paint: Paint): string[] {
  const width = Math.max(40, columns) - 2;
  const blocks = listBlocks(view);
  const room = Math.max(2, rows - 2);
  const form = FORMS.find((each) => each.rows * blocks.length <= room) ?? SMALLEST;
  const fitting = Math.max(1, Math.floor(room / form.rows));
  // One row is for those that have no room.
  const shown = blocks.length <= fitting ? blocks : blocks.slice(0, Math.max(1, Math.floor((room - 1) / form.rows)));
  // The most important one gets the room that is left.
  const left = room - form.rows * (shown.length - 1) - (shown.length < blocks.length ? 1 : 0);
  const first = FORMS.find((each) => each.rows <= left) ?? form;
  const hidden = blocks.slice(shown.length);
  const body = shown.flatMap((block, at) => draw(block, at === 0 ? first : form, width, paint));
  const problems = hidden.filter(({ isProblem }) => isProblem).length;
  if (hidden.length > 0) body.push(`and ${hidden.length} more folders, ${problems} with problems`);
  const now = new Date(view.nowMs).toTimeString().slice(0, 8);
  const head = `CRYOLIFT WATCH  ${cut(printable(view.config), width - 26)}`.padEnd(width - 8);
  const lines = [`${cut(head, width - 8)}${now}`, ...body].slice(0, rows - 1);
  while (lines.length < rows - 1) lines.push('');
  return [...lines, 'q: quit'].map((line) => `${MARGIN}${line}`);
}

function listBlocks(view: View): Block[] {
  const { report, nowMs } = view;
  const folders = (report?.folders ?? []).map((folder) => describeFolder(folder, report?.started_at ?? '', nowMs));
  if (view.process !== 'running' || folders.length === 0) return [describeStopped(view)];
  return folders.sort((a, b) => ORDER.indexOf(a.colour) - ORDER.indexOf(b.colour));
}

function describeStopped({ process, report, lastLine }: View): Block {
  const since = report ? clock(report.written_at) : null;
  const common = { title: 'the process of the watch', more: '', isProblem: true } as const;
  if (process === 'running') return { ...common, word: 'STARTING', colour: 'yellow', details: [], isProblem: false };
  const last = lastLine === null ? [] : [`Last line of its log: ${lastLine}`];
  if (process === 'silent') {
    const details = [`The watch has not reported since ${since}.`, 'What to do: restart the service.', ...last];
    return { ...common, word: 'NO ANSWER', colour: 'red', details };
  }
  const details = [
    since === null ? 'It has never run.' : `Nothing is uploaded since ${since}.`,
    'What to do: start the service (cryolift watch install), or look into cryolift watch logs.',
    ...last,
  ];
  return { ...common, word: 'NOT RUNNING', colour: 'red', details };
}

function draw(block: Block, form: (typeof FORMS)[number], width: number, paint: Paint): string[] {
  const { title, word, more, colour, details } = block;
  const state = more === '' ? word : `${word}: ${more}`;
  const head = [paint(colour, ` ${state} `, true), cut(printable(title), Math.max(8, width - state.length - 4))].join(
    '  ',
  );
  const text = details
    .slice(0, form.details === 0 ? 1 : undefined)
    .flatMap((line) => wrap(printable(line), width, 2))
    .slice(0, Math.max(1, form.details));
  if (!form.hasLetters) return [head, ...text.slice(0, form.rows - 1), ...blank(form.rows - 1 - text.length)];
  const letters = [...drawLetters(fitWords(word, form.hasMore ? '' : more, width), width)];
  if (form.hasMore) letters.push('', ...drawLetters(more, width));
  const lines = [head, '', ...letters.map((line) => (line === '' ? '' : paint(colour, line))), '', ...text];
  return [...lines.slice(0, form.rows), ...blank(form.rows - lines.length)];
}

/** Both words where there is room, with the number alone: `UPLOADING 3`. */
function fitWords(word: string, more: string, width: number): string {
  const both = `${word} ${more.replace(/ FILES?$/, '')}`.trim();
  return (bigText(both)[0]?.length ?? 0) <= width ? both : word;
}

function drawLetters(text: string, width: number): string[] {
  return text === '' ? [] : bigText(text).map((line) => cut(line.trimEnd(), width));
}

function blank(count: number): string[] {
  return Array.from({ length: Math.max(0, count) }, () => '');
}

/** In lines of whole words; the last one ends with … when there is more. */
function wrap(text: string, width: number, most: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > width && lines.length < most - 1) {
    const at = rest.lastIndexOf(' ', width);
    const end = at > width / 2 ? at : width;
    lines.push(rest.slice(0, end));
    rest = `  ${rest.slice(end).trimStart()}`;
  }
  return [...lines, cut(rest, width)];
}

function cut(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, Math.max(0, width - 1))}…` : text;
}
