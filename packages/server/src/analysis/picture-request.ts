/** What a request for a picture asks for, with the defaults for the file. */
import {
  centralSection,
  defaultPreviews,
  type Previewed,
  type PreviewKind,
  type PreviewRequest,
  type Region,
  spectrumSlice,
} from '@cryolift/mrc';
import { UploadError } from '@cryolift/protocol/errors';
import type { PreviewQuery } from '@cryolift/protocol/messages';
import type { FilePlace } from '../storage/places.ts';

const DEFAULT_PX = 512;
const DEFAULT_PERCENTILES = { low: 0.1, high: 99.9 };
/** The kinds of pictures that have regions, and those that are filtered. */
const WITH_REGION: readonly PreviewKind[] = ['section', 'average'];
const FILTERED: readonly PreviewKind[] = ['section', 'average', 'montage'];
const PLOTS: readonly PreviewKind[] = ['profile', 'means'];

/** The parameters of a request, unset ones undefined. */
export type PictureQuery = { readonly [Name in keyof PreviewQuery]?: PreviewQuery[Name] | undefined };

/**
 * @returns the complete request, on which the picture depends.
 * @throws UploadError `invalid_request` when parameters contradict each other.
 */
export function toPreviewRequest(mrc: Previewed, filename: string, query: PictureQuery): PreviewRequest {
  const { region, slab = 1, lowpass } = query;
  const isSection = query.axis !== undefined || query.slice !== undefined || query.slab !== undefined;
  const main = defaultPreviews(mrc, filename)[0];
  const kind = query.kind ?? (isSection ? 'section' : (main?.kind ?? 'section'));
  const axis = query.axis ?? 'z';
  if (region !== undefined) assertKind('region', kind, WITH_REGION);
  if (query.slab !== undefined) assertKind('slab', kind, ['section']);
  if (lowpass !== undefined) assertKind('lowpass', kind, FILTERED);
  const percentiles = toPercentiles(kind, query);
  return {
    kind,
    axis,
    slice: sliceOf(kind, axis, mrc, filename, query.slice),
    sizePx: query.size ?? DEFAULT_PX,
    contrast: query.contrast ?? 'sigma',
    ...(kind === 'spectrum' && query.range === 'full' && { range: 'full' }),
    ...(percentiles && { percentiles }),
    ...(region !== undefined && { region: toRegion(region) }),
    ...(slab > 1 && { slab }),
    ...(lowpass !== undefined && { lowPass: lowpass }),
  };
}

function assertKind(parameter: string, kind: PreviewKind, kinds: readonly PreviewKind[]): void {
  if (kinds.includes(kind)) return;
  throw new UploadError('invalid_request', `\`${parameter}\` does not apply to a picture of kind \`${kind}\`.`, {
    hint: `Leave it out, or ask for kind ${kinds.join(' or ')}.`,
  });
}

function toPercentiles(kind: PreviewKind, { low, high, contrast }: PictureQuery): PreviewRequest['percentiles'] {
  if (low === undefined && high === undefined) return undefined;
  if (PLOTS.includes(kind)) {
    const hint = 'Leave them out.';
    throw new UploadError('invalid_request', `\`low\` and \`high\` do not apply to a picture of kind \`${kind}\`.`, {
      hint,
    });
  }
  if (contrast !== undefined) {
    throw new UploadError('invalid_request', '`contrast` excludes `low` and `high`.', {
      hint: 'Leave out `contrast`: black and white are at the percentiles `low` and `high`.',
    });
  }
  const percentiles = { low: low ?? DEFAULT_PERCENTILES.low, high: high ?? DEFAULT_PERCENTILES.high };
  if (percentiles.low < percentiles.high) return percentiles;
  throw new UploadError(
    'invalid_request',
    `\`low\` (${percentiles.low}) is not below \`high\` (${percentiles.high}).`,
    {
      hint: 'They are percentiles from 0 to 100; `low` is 0.1 and `high` 99.9 when not given.',
    },
  );
}

/** Its form is that of the schema. */
function toRegion(text: string): Region {
  const [x = 0, y = 0, width = 0, height = 0] = text.split(',').map(Number);
  return { x, y, width, height };
}

function sliceOf(
  kind: PreviewKind,
  axis: PreviewRequest['axis'],
  mrc: Previewed,
  filename: string,
  asked: number | undefined,
): number | null {
  switch (kind) {
    case 'section':
      return asked ?? centralSection(mrc, axis);
    case 'spectrum':
    case 'profile':
      return asked ?? spectrumSlice(mrc, filename);
    default:
      return null;
  }
}

/** Both have to be changed when the same request gives another picture, so that stored ones are drawn again. */
export const RENDERER = { version: 4, sinceMs: Date.UTC(2026, 10, 30, 14) };

/** The name of the picture among those of its file; safe in file names and ETags. */
export function nameOf(
  { kind, axis, slice, sizePx, contrast, range, percentiles, region, slab, lowPass }: PreviewRequest,
  { overrides: { mode0 } = {} }: Pick<FilePlace, 'overrides'>,
): string {
  const shown = [...(kind === 'section' ? [axis] : []), ...(slice === null ? [] : [slice]), ...(range ? [range] : [])];
  const limits = percentiles ? `p${percentiles.low}_${percentiles.high}` : contrast;
  const more = [
    ...(region ? [`r${region.x}_${region.y}_${region.width}_${region.height}`] : []),
    ...(slab ? [`slab${slab}`] : []),
    ...(lowPass === undefined ? [] : [`lowpass${lowPass}`]),
  ];
  return [kind, ...shown, sizePx, limits, ...more, ...(mode0 ? [mode0] : []), `v${RENDERER.version}`].join('-');
}
