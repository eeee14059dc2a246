/** Which part of a picture a frame shows, and how large. */
import type { Region } from '@cryolift/mrc';

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * A part of a picture. Null where a view may be: the whole picture, as large as the frame allows.
 * Lengths of a picture are in its own pixels: voxels where there are any.
 */
export interface View {
  /** Pixels of the screen (CSS) for one of the picture; 1 is 1:1. */
  readonly scale: number;
  /** The point of the picture in the middle of the frame. */
  readonly x: number;
  readonly y: number;
}

/** A key or a button changes the scale by this factor: two steps double it. */
export const ZOOM_STEP = Math.SQRT2;
/** The most pixels of the screen for one of the picture. */
const MAX_SCALE = 32;
/** Relative difference of scales that are the same. */
const TOLERANCE = 1e-6;
/** Regions start and end at multiples of this, so that a small movement asks for nothing new. */
const GRID = 32;

function fitScale(frame: Size, picture: Size): number {
  return Math.min(frame.width / picture.width, frame.height / picture.height);
}

/** The view as numbers, also when it shows everything. */
export function settle(view: View | null, frame: Size, picture: Size): View {
  return view ?? { scale: fitScale(frame, picture), x: picture.width / 2, y: picture.height / 2 };
}

/** Changes the scale; the point of the picture under `at` (from the upper left corner of the frame) stays there. */
export function zoomTo(view: View | null, scale: number, at: Point, frame: Size, picture: Size): View | null {
  const from = settle(view, frame, picture);
  const right = at.x - frame.width / 2;
  const down = at.y - frame.height / 2;
  const to = Math.min(scale, Math.max(MAX_SCALE, fitScale(frame, picture)));
  return confine(
    { scale: to, x: from.x + right / from.scale - right / to, y: from.y + down / from.scale - down / to },
    frame,
    picture,
  );
}

/** Moves the picture under the frame by pixels of the screen. */
export function pan(view: View | null, right: number, down: number, frame: Size, picture: Size): View | null {
  if (!view) return null;
  const { scale, x, y } = view;
  return confine({ scale, x: x - right / scale, y: y - down / scale }, frame, picture);
}

/** The nearest view without an empty border; null when it would show the whole picture. */
export function confine(view: View, frame: Size, picture: Size): View | null {
  if (view.scale <= fitScale(frame, picture) * (1 + TOLERANCE)) return null;
  const inside = (centre: number, length: number, shown: number) =>
    shown >= length ? length / 2 : Math.min(length - shown / 2, Math.max(shown / 2, centre));
  return {
    scale: view.scale,
    x: inside(view.x, picture.width, frame.width / view.scale),
    y: inside(view.y, picture.height, frame.height / view.scale),
  };
}

/** Where the upper left corner of the picture is, from that of the frame, in pixels of the screen. */
export function cornerOf({ scale, x, y }: View, frame: Size): Point {
  return { x: frame.width / 2 - x * scale, y: frame.height / 2 - y * scale };
}

/**
 * The part that the frame shows, in whole pixels of the picture, and a little more.
 *
 * @param voxels columns and rows of the picture, when its pixels are not square voxels.
 */
export function shownRegion(view: View, frame: Size, picture: Size, voxels: Size = picture): Region {
  const along = (centre: number, length: number, shown: number, count: number) => {
    const voxel = length / count;
    const start = Math.max(0, Math.floor((centre - shown / 2) / voxel / GRID) * GRID);
    const end = Math.min(count, Math.ceil((centre + shown / 2) / voxel / GRID) * GRID);
    return [start, Math.max(1, end - start)] as const;
  };
  const [x, width] = along(view.x, picture.width, frame.width / view.scale, voxels.width);
  const [y, height] = along(view.y, picture.height, frame.height / view.scale, voxels.height);
  return { x, y, width, height };
}
