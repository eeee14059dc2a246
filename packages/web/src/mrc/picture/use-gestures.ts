/** Keys, mouse and touch on a picture: zoom, move, other sections. */
import { type RefObject, useEffect, useRef } from 'react';
import { type Point, pan, type Size, settle, type View, ZOOM_STEP, zoomTo } from './view.ts';

export interface Shown {
  readonly frame: Size | null;
  readonly picture: Size | null;
  readonly setView: (change: (view: View | null) => View | null) => void;
  readonly onStep: ((sections: number) => void) | null;
}

const DOUBLE_CLICK_ZOOM = 2;
/** The share of the frame that an arrow key moves by. */
const ARROW_SHARE = 1 / 8;
/** Of the wheel: relative zoom and sections for a pixel that it turns. A line counts as so many pixels. */
const WHEEL_ZOOM = 0.0025;
const WHEEL_STEP_PX = 50;
const WHEEL_LINE_PX = 16;

const ARROWS: Readonly<Record<string, readonly [right: number, down: number]>> = {
  ArrowLeft: [1, 0],
  ArrowRight: [-1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
};
const STEPS: Readonly<Record<string, number>> = { PageUp: 1, PageDown: -1, '.': 1, ',': -1 };

/** Listeners are the browser's own, because a wheel that zooms must not scroll the page. */
export function useGestures(ref: RefObject<HTMLElement | null>, shown: Shown): void {
  const latest = useRef(shown);
  useEffect(() => {
    latest.current = shown;
  });
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    const end = new AbortController();
    const options = { signal: end.signal, passive: false };
    const gestures = new Gestures(element, () => latest.current);
    element.addEventListener('keydown', gestures.key, options);
    element.addEventListener('wheel', gestures.wheel, options);
    element.addEventListener('dblclick', gestures.doubleClick, options);
    element.addEventListener('pointerdown', gestures.down, options);
    element.addEventListener('pointermove', gestures.move, options);
    element.addEventListener('pointerup', gestures.up, options);
    element.addEventListener('pointercancel', gestures.up, options);
    return () => end.abort();
  }, [ref]);
}

class Gestures {
  readonly #element: HTMLElement;
  readonly #shown: () => Shown;
  /** Fingers, or the mouse, that are down. */
  readonly #pointers = new Map<number, Point>();
  #turnedPx = 0;

  constructor(element: HTMLElement, shown: () => Shown) {
    this.#element = element;
    this.#shown = shown;
  }

  key = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { frame } = this.#shown();
    const middle = { x: (frame?.width ?? 0) / 2, y: (frame?.height ?? 0) / 2 };
    const arrow = ARROWS[event.key];
    const step = STEPS[event.key];
    if (event.key === '+' || event.key === '=') this.#zoom((scale) => scale * ZOOM_STEP, middle);
    else if (event.key === '-' || event.key === '_') this.#zoom((scale) => scale / ZOOM_STEP, middle);
    else if (event.key === '0') this.#shown().setView(() => null);
    else if (event.key === '1') this.#zoom(() => 1, middle);
    else if (arrow && frame) this.#pan(arrow[0] * frame.width * ARROW_SHARE, arrow[1] * frame.height * ARROW_SHARE);
    else if (step !== undefined && this.#shown().onStep) this.#shown().onStep?.(step);
    else return;
    event.preventDefault();
  };

  wheel = (event: WheelEvent): void => {
    const turnedPx = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? WHEEL_LINE_PX : 1);
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      this.#zoom((scale) => scale * Math.exp(-turnedPx * WHEEL_ZOOM), this.#at(event));
      return;
    }
    // Without the focus, the wheel scrolls the page.
    const { onStep } = this.#shown();
    if (!onStep || document.activeElement !== this.#element) return;
    event.preventDefault();
    this.#turnedPx += turnedPx;
    const steps = Math.trunc(this.#turnedPx / WHEEL_STEP_PX);
    if (steps === 0) return;
    this.#turnedPx -= steps * WHEEL_STEP_PX;
    onStep(-steps);
  };

  doubleClick = (event: MouseEvent): void => {
    event.preventDefault();
    this.#zoom((scale) => scale * DOUBLE_CLICK_ZOOM, this.#at(event));
  };

  down = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    this.#element.setPointerCapture(event.pointerId);
    this.#pointers.set(event.pointerId, this.#at(event));
  };

  move = (event: PointerEvent): void => {
    const from = this.#pointers.get(event.pointerId);
    if (!from) return;
    const to = this.#at(event);
    const other = [...this.#pointers].find(([id]) => id !== event.pointerId)?.[1];
    this.#pointers.set(event.pointerId, to);
    if (other) {
      const ratio = distance(to, other) / Math.max(1, distance(from, other));
      this.#zoom((scale) => scale * ratio, { x: (to.x + other.x) / 2, y: (to.y + other.y) / 2 });
      this.#pan((to.x - from.x) / 2, (to.y - from.y) / 2);
    } else {
      this.#pan(to.x - from.x, to.y - from.y);
    }
  };

  up = (event: PointerEvent): void => {
    this.#pointers.delete(event.pointerId);
  };

  #zoom(scaleOf: (scale: number) => number, at: Point): void {
    const { frame, picture, setView } = this.#shown();
    if (!frame || !picture) return;
    setView((view) => zoomTo(view, scaleOf(settle(view, frame, picture).scale), at, frame, picture));
  }

  #pan(right: number, down: number): void {
    const { frame, picture, setView } = this.#shown();
    if (frame && picture) setView((view) => pan(view, right, down, frame, picture));
  }

  #at({ clientX, clientY }: MouseEvent): Point {
    const { left, top } = this.#element.getBoundingClientRect();
    return { x: clientX - left, y: clientY - top };
  }
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
