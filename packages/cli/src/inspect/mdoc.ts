/** `cryolift inspect` of an `.mdoc` file, and of the one beside a series. */
import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { decodeMdoc, describeTilts, MAX_MDOC_BYTES, type MdocSummary, parseMdoc, summariseMdoc } from '@cryolift/mrc';
import { openNamed } from '../files/open-named.ts';
import { formatTable } from '../output/format.ts';
import { Output } from '../output/output.ts';
import { EXIT, type ExitCode } from '../process/exit.ts';

export interface Sidecar {
  readonly path: string;
  readonly summary: MdocSummary;
}

export async function inspectMdoc(path: string, json = false): Promise<ExitCode> {
  const summary = await readMdoc(path);
  const isEmpty = summary.sections === 0;
  const message = 'it has neither ZValue nor FrameSet sections';
  const warnings = isEmpty ? [{ code: 'no_sections', message }] : [];
  new Output(json).result({ path, mdoc: summary, warnings }, () => [
    path,
    ...formatTable(describeMdoc(summary)),
    ...warnings.map((warning) => `warning: ${warning.message}`),
  ]);
  return EXIT.done;
}

/** The `.mdoc` file beside a stack, `TS.mrc.mdoc` or else `TS.mdoc`; null without one. @throws as `openNamed` does. */
export async function findSidecar(path: string): Promise<Sidecar | null> {
  const stem = path.slice(0, path.length - extname(path).length);
  for (const beside of [`${path}.mdoc`, `${stem}.mdoc`]) {
    const stats = await stat(beside).catch(() => null);
    if (stats?.isFile()) return { path: beside, summary: await readMdoc(beside) };
  }
  return null;
}

/** At most 4 MiB of it. @throws as `openNamed` does. */
async function readMdoc(path: string): Promise<MdocSummary> {
  const source = await openNamed(path);
  try {
    const bytes = new Uint8Array(Math.min(source.sizeBytes, MAX_MDOC_BYTES + 1));
    await source.read(0, bytes);
    return summariseMdoc(parseMdoc(decodeMdoc(bytes)));
  } finally {
    await source.close();
  }
}

/** Rows of a table. */
export function describeMdoc(mdoc: MdocSummary): string[][] {
  const known = <Value>(name: string, value: Value | null, describe: (value: Value) => string) =>
    value === null ? [] : [[name, describe(value)]];
  const what = mdoc.describes === 'series' ? 'images of a series' : 'movies';
  return [
    ['session data', `${mdoc.sections} ${what}`],
    ...known('image file', mdoc.image_file, String),
    ...known('tilt angles', mdoc.tilts, describeTilts),
    ...known('total dose', mdoc.total_dose, (dose) => `${dose} electrons per Å²`),
    ...known('pixel size', mdoc.pixel_size, (pixel) => `${pixel} Å`),
    ...known('voltage', mdoc.voltage, (voltage) => `${voltage} kV`),
    ...known('defocus', mdoc.defocus, ([least, greatest]) => `${least} to ${greatest} µm`),
    ...known('rotation', mdoc.rotation_angle, (angle) => `${angle}°`),
    ...known('taken', mdoc.taken, ([first, last]) => `${first} to ${last}, time of the microscope`),
    ...(mdoc.frames.length > 0 ? [['frames', `${mdoc.frames.length} files, ${mdoc.frames[0]} and so on`]] : []),
    ...mdoc.titles.map((title, at) => [at === 0 ? 'titles' : '', title]),
    ...Object.entries(mdoc.other).map(([key, value], at) => [at === 0 ? 'other keys' : '', `${key} = ${value}`]),
    ...describePairs(mdoc),
    ...(mdoc.is_cut ? [['', 'it has more than is read']] : []),
  ];
}

/** Keys with one value for all sections by that, others by their names: `--json` has the values. */
function describePairs({ section_pairs: pairs, section_pairs_cut: isCut, sections }: MdocSummary): string[][] {
  const same = Object.entries(pairs).flatMap(([key, value]) =>
    typeof value === 'string' ? [`${key} = ${value}`] : [],
  );
  const varied = Object.entries(pairs).flatMap(([key, value]) => (typeof value === 'string' ? [] : [key]));
  return [
    ...same.map((text, at) => [at === 0 ? (sections === 1 ? 'its section' : 'all sections') : '', text]),
    ...(varied.length > 0 ? [['differ by section', varied.join(', ')]] : []),
    ...(isCut ? [['', 'the sections have more keys than are kept']] : []),
  ];
}
