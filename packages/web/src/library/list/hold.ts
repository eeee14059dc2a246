/** Files that arrive wait while the user is at work in the list, so that nothing moves under the pointer. */
import { type FocusEvent, type RefObject, useEffect, useState } from 'react';
import { useAccount } from '../../services.ts';

/** @param isBusy for another reason. @returns handlers for the list. */
export function useHold(box: RefObject<HTMLElement | null>, isBusy: boolean) {
  const { files } = useAccount();
  const [isOver, setOver] = useState(false);
  const [hasFocus, setFocus] = useState(false);
  const [isScrolled, setScrolled] = useState(false);
  useEffect(() => {
    const onScroll = () => setScrolled((box.current?.getBoundingClientRect().top ?? 0) < 0);
    onScroll();
    addEventListener('scroll', onScroll, { passive: true });
    return () => removeEventListener('scroll', onScroll);
  }, [box]);
  useEffect(
    () => files.hold(isBusy || isOver || hasFocus || isScrolled),
    [files, isBusy, isOver, hasFocus, isScrolled],
  );
  useEffect(() => () => files.hold(false), [files]);
  return {
    onPointerEnter: () => setOver(true),
    onPointerLeave: () => setOver(false),
    onFocusCapture: () => setFocus(true),
    onBlurCapture: ({ currentTarget, relatedTarget }: FocusEvent) =>
      setFocus(relatedTarget instanceof Node && currentTarget.contains(relatedTarget)),
  };
}
