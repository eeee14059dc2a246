import { type RefObject, useLayoutEffect, useState } from 'react';

/** Of an element, in pixels. */
export interface Box {
  readonly width: number;
  /** Distance from the top of the document. */
  readonly top: number;
}

/** The place of an element, also when what is above it grows. */
export function useBox(element: RefObject<HTMLElement | null>): Box {
  const [box, setBox] = useState<Box>({ width: 0, top: 0 });
  useLayoutEffect(() => {
    const measure = () => {
      const { current } = element;
      // It is not displayed.
      if (!current || current.offsetParent === null) return;
      const { width, top } = current.getBoundingClientRect();
      const next = { width: Math.floor(width), top: Math.round(top + scrollY) };
      setBox((known) => (known.width === next.width && known.top === next.top ? known : next));
    };
    measure();
    const observer = new ResizeObserver(measure);
    for (let each = element.current; each; each = each.parentElement) observer.observe(each);
    return () => observer.disconnect();
  }, [element]);
  return box;
}
