/** Where a key leads in a list. */
interface Place {
  readonly index: number;
  readonly count: number;
  readonly columns: number;
}

/** Lines of one step of Page Down. */
const PAGE_LINES = 10;

/** @returns the index of the next item; null: the key does not move, or there is nowhere to go. */
export function moveBy({ key }: { readonly key: string }, { index, count, columns }: Place): number | null {
  const step = stepOf(key, columns);
  if (step === null || count === 0) return null;
  const to = index + step;
  if (Number.isFinite(step) && Math.abs(step) <= columns && (to < 0 || to >= count)) return null;
  return Math.min(count - 1, Math.max(0, to));
}

function stepOf(key: string, columns: number): number | null {
  switch (key) {
    case 'ArrowDown':
      return columns;
    case 'ArrowUp':
      return -columns;
    case 'ArrowRight':
      return columns > 1 ? 1 : null;
    case 'ArrowLeft':
      return columns > 1 ? -1 : null;
    case 'PageDown':
      return PAGE_LINES * columns;
    case 'PageUp':
      return -PAGE_LINES * columns;
    case 'Home':
      return Number.NEGATIVE_INFINITY;
    case 'End':
      return Number.POSITIVE_INFINITY;
    default:
      return null;
  }
}
