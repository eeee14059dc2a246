/** What a file is and whether it is good, in sentences. */
import type { FileRecord, Statistics } from '@cryolift/protocol/messages';
import { formatCount } from '../format.ts';
import { kindOf } from '../library/file-kind.ts';
import { texts } from '../texts.ts';
import { voxelOf } from './mrc-summary.ts';
import { shownHeader } from './shown-header.ts';
import { wordOf } from './word-of.ts';

type Mrc = NonNullable<FileRecord['mrc']>;

/** `A volume of 128 × 128 × 64 voxels of 2 Å.` */
export function sayWhat(file: FileRecord): string {
  const { mdoc, tiff, filename } = file;
  const mrc = shownHeader(file);
  const words = texts.verdict;
  if (mrc) return `${words.what[wordOf(mrc, filename)](...shapeOf(mrc))}${sizeOf(mrc)}.`;
  if (tiff) return words.undecoded(texts.tiff.formats[tiff.format]);
  if (kindOf(file) !== 'mdoc' || !mdoc) return words.other;
  return mdoc.describes === 'frames' ? words.ofMovie : words.ofSeries(mdoc.sections);
}

/** The pixels or voxels of one image or volume, and how many there are. */
function shapeOf({ kind, nx, ny, nz, geometry }: Mrc): [shape: string, count: string] {
  const [x = nx, y = ny, z = nz] = geometry?.size ?? [];
  const volumes = geometry?.volumes ?? 1;
  const isVolume = kind === 'volume' || kind === 'volume_stack';
  const edges = isVolume ? [x, y, z / volumes] : [nx, ny];
  return [edges.map(formatCount).join(' × '), formatCount(isVolume ? volumes : nz)];
}

function sizeOf(mrc: Mrc): string {
  const size = voxelOf(mrc);
  return size === null ? texts.verdict.noSize : texts.verdict.ofSize(size.replace('/px', ''));
}

interface Verdict {
  readonly tone: 'good' | 'check' | 'waiting';
  readonly text: string;
}

/** @param statistics undefined: not known yet; null: there are none. */
export function sayWhether(file: FileRecord, statistics: Statistics | null | undefined): Verdict {
  const { mdoc, tiff, warnings } = file;
  const words = texts.verdict;
  const count = warnings.length + (mdoc?.warnings.length ?? 0);
  if (count > 0) return { tone: 'check', text: words.check(count) };
  const isSidecar = kindOf(file) === 'mdoc';
  if (isSidecar && !mdoc?.series) return { tone: 'check', text: words.noSeries };
  const missing = mdoc?.missing_frames?.length ?? 0;
  if (missing > 0) return { tone: 'check', text: words.missing(missing) };
  if (!shownHeader(file)) return { tone: 'good', text: isSidecar ? words.read : tiff ? words.walked : words.stored };
  if (statistics === undefined) return { tone: 'waiting', text: words.waiting };
  if (statistics === null) return { tone: 'check', text: words.unread };
  return { tone: 'good', text: statistics.hot ? words.hot(statistics.hot) : words.good };
}
