import { extensionOf } from '../kind/name.ts';

/** The extensions of TIFF, BigTIFF and EER files, without the dot. */
export const TIFF_EXTENSIONS: readonly string[] = ['tif', 'tiff', 'eer'];
/** Gain references of detectors that write EER are TIFF files; other programs write MRC or DM4 under this ending. */
const MAYBE_TIFF: readonly string[] = ['gain'];

/** True for the names whose structure is checked: .tif .tiff .eer, in any case. */
export function isTiffName(filename: string): boolean {
  return TIFF_EXTENSIONS.includes(extensionOf(filename));
}

/** True for the names of files that are walked when they begin as TIFF files do: also .gain. */
export function mayBeTiff(filename: string): boolean {
  return isTiffName(filename) || MAYBE_TIFF.includes(extensionOf(filename));
}
