export const PAGE_ITEMS = 200;
/** While no events arrive. */
export const POLL_MS = 4_000;
/** Structural sharing takes longer with each page of a list. */
export const LONG_LIST_OPTIONS = { structuralSharing: false } as const;
