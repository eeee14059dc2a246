/** The extensions of MRC files, without the dot. */
export const MRC_EXTENSIONS: readonly string[] = ['mrc', 'mrcs', 'map', 'ccp4', 'rec', 'st', 'ali', 'preali'];

/** The part of a file name after its last dot, in lower case; '' without a dot. */
export function extensionOf(filename: string): string {
  const dot = filename.lastIndexOf('.');
  return dot < 0 ? '' : filename.slice(dot + 1).toLowerCase();
}

/** True for the names whose header is checked: .mrc .mrcs .map .ccp4 .rec .st .ali .preali, in any case. */
export function isMrcName(filename: string): boolean {
  return MRC_EXTENSIONS.includes(extensionOf(filename));
}
