/** Defaults and limits that the options of the commands and the settings file share. */

/** Files uploaded at the same time. */
export const FILES = 4;
export const MAX_FILES = 16;
/** The maximum of parts in flight, as in the SDK. */
export const PARTS = 64;
export const SETTLE_SECONDS = 60;
export const SETTLE_BOUNDS = ['1s', '7d'] as const;
