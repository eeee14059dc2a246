import { useEffect, useLayoutEffect, useRef } from 'react';

/** The same width as in library.css. */
export const NARROW = '(max-width: 56rem)';

/**
 * On a small screen a file replaces the list. When the user comes back, the list is where it was, and the keyboard is at
 * the file.
 *
 * @param fileId of the file that is open; null: the list is shown.
 */
export function useListScroll(fileId: string | null): void {
  const listTop = useRef(0);
  const lastId = useRef<string | null>(null);
  useEffect(() => {
    if (fileId !== null) return;
    const note = () => {
      listTop.current = scrollY;
    };
    addEventListener('scroll', note, { passive: true });
    return () => removeEventListener('scroll', note);
  }, [fileId]);
  useLayoutEffect(() => {
    const { current: closed } = lastId;
    lastId.current = fileId;
    if (fileId !== null || closed === null || !matchMedia(NARROW).matches) return;
    scrollTo(0, listTop.current);
    document.querySelector<HTMLElement>(`[data-file="${CSS.escape(closed)}"]`)?.focus({ preventScroll: true });
  }, [fileId]);
}
