/** A picture in a frame, which can be zoomed and moved. Beyond its pixels, the shown part is drawn again with each voxel. */
import type { PreviewQuery } from '@cryolift/protocol/messages';
import { type ReactNode, useDeferredValue, useId, useMemo, useRef, useState } from 'react';
import { Failure } from '../../failure.tsx';
import { texts } from '../../texts.ts';
import { isNotFound } from '../slow-query.ts';
import type { Extent } from './extent.ts';
import { chooseBar } from './scale-bar.ts';
import { useFrameSize } from './use-frame-size.ts';
import { useGestures } from './use-gestures.ts';
import { type DrawnPicture, type PictureOf, usePicture, useSettled } from './use-picture.ts';
import { confine, cornerOf, type Size, settle, shownRegion, type View, ZOOM_STEP, zoomTo } from './view.ts';

const SIZE_PX = 512;
const HIGH_DENSITY_SIZE_PX = 1024;
/** A wider frame shows the larger size of a section. */
const WIDE_FRAME_PX = 600;
/** A moved picture is asked for when it has rested so long. */
const REST_MS = 150;
const MAX_BAR_PX = 160;
/** From here on, single voxels are shown as squares. */
const SQUARES_SCALE = 2;

export interface ViewerProps {
  readonly of: PictureOf;
  /** Changes when the same query gives another picture. */
  readonly version: string;
  /** Without a size. */
  readonly query: Omit<PreviewQuery, 'size'>;
  /** Null: it shows no voxels. */
  readonly extent: Extent | null;
  readonly alt: string;
  /** Goes so many sections on; null: there are no others. */
  readonly onStep: ((sections: number) => void) | null;
}

export function Viewer({ of, version, query, extent, alt, onStep }: ViewerProps) {
  const frameRef = useRef<HTMLDivElement>(null);
  const frame = useFrameSize(frameRef);
  const [wanted, setView] = useState<View | null>(null);
  const [natural, setNatural] = useState<Size | null>(null);
  const picture = extent?.picture ?? natural;
  const view = wanted && frame && picture ? confine(wanted, frame, picture) : null;
  const helpId = useId();
  const text = useDeferredValue(JSON.stringify(query));
  const size = sizeFor(query, frame);
  const asked = useMemo(() => (size ? { ...(JSON.parse(text) as PreviewQuery), size } : null), [text, size]);
  const base = usePicture(of, asked, version);
  const detail = useDetail({ of, version, text, extent, natural }, view, frame);
  useGestures(frameRef, { frame, picture, setView, onStep });
  const words = texts.picture;
  const zoom = (scaleOf: (scale: number) => number) => {
    if (!frame || !picture) return;
    const middle = { x: frame.width / 2, y: frame.height / 2 };
    setView(zoomTo(view, scaleOf(settle(view, frame, picture).scale), middle, frame, picture));
  };
  if (base.error) {
    return isNotFound(base.error) ? <p className="hint">{words.none}</p> : <Failure error={base.error} />;
  }
  const settled = frame && picture ? settle(view, frame, picture) : null;
  return (
    <figure className="viewer">
      <div
        ref={frameRef}
        className={view ? 'viewer-frame viewer-zoomed' : 'viewer-frame'}
        role="application"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it takes keys, which zoom and move the picture.
        tabIndex={0}
        aria-label={words.frame}
        aria-describedby={helpId}
        aria-busy={base.isFetching || detail.isFetching}
        style={picture ? { aspectRatio: `${picture.width} / ${picture.height}` } : {}}
      >
        {base.drawn ? (
          <img
            src={base.drawn.url}
            alt={alt}
            draggable={false}
            style={settled && frame && picture ? placeOf(settled, frame, picture, null, extent) : {}}
            onLoad={({ currentTarget: { naturalWidth: width, naturalHeight: height } }) =>
              setNatural((last) => (last?.width === width && last.height === height ? last : { width, height }))
            }
          />
        ) : (
          <span className="viewer-waiting">{words.drawing}</span>
        )}
        {detail.drawn && settled && frame && picture && (
          <img
            src={detail.drawn.url}
            alt=""
            className="viewer-detail"
            draggable={false}
            style={placeOf(settled, frame, picture, detail.drawn, extent)}
          />
        )}
        {settled && base.drawn && <Legend scale={settled.scale} extent={extent} frame={frame} />}
      </div>
      <div className="viewer-tools" role="toolbar" aria-label={words.zoom}>
        <Tool label={words.zoomOut} onPress={() => zoom((scale) => scale / ZOOM_STEP)}>
          −
        </Tool>
        <Tool label={words.zoomIn} onPress={() => zoom((scale) => scale * ZOOM_STEP)}>
          +
        </Tool>
        <Tool label={words.oneToOne} onPress={() => zoom(() => 1)}>
          1:1
        </Tool>
        <Tool label={words.whole} onPress={() => setView(null)}>
          {words.whole}
        </Tool>
      </div>
      <p id={helpId} className="hint viewer-help">
        {words.help(onStep !== null)}
      </p>
    </figure>
  );
}

/** Null before the frame is laid out. */
function sizeFor({ kind }: Pick<PreviewQuery, 'kind'>, frame: Size | null): number | null {
  if (!frame) return null;
  // A section is one range of the file; other pictures of this size would be of more.
  const isDetailed = devicePixelRatio > 1 || (kind === 'section' && frame.width > WIDE_FRAME_PX);
  return isDetailed ? HIGH_DENSITY_SIZE_PX : SIZE_PX;
}

interface Detailed {
  readonly of: PictureOf;
  readonly version: string;
  /** The query of the whole picture, as JSON. */
  readonly text: string;
  readonly extent: Extent | null;
  /** The size of the whole picture. */
  readonly natural: Size | null;
}

/** The shown part with more pixels, where the whole picture has too few. */
function useDetail(shown: Detailed, view: View | null, frame: Size | null) {
  const { of, version, text, extent, natural } = shown;
  let region = null;
  if (view && frame && extent && natural) {
    const had = natural.width / extent.picture.width;
    const isCoarse = had < 0.99 * Math.min(1, view.scale * devicePixelRatio);
    if (isCoarse) region = shownRegion(view, frame, extent.picture, extent.voxels);
  }
  const asked = region && `${region.x},${region.y},${region.width},${region.height}`;
  const settled = useSettled(asked && JSON.stringify({ ...JSON.parse(text), region: asked }), REST_MS);
  const query = useMemo(
    () => (settled ? { ...(JSON.parse(settled) as PreviewQuery), size: HIGH_DENSITY_SIZE_PX } : null),
    [settled],
  );
  const { drawn, isFetching } = usePicture(of, query, version);
  // A part of another section, or with another contrast, would be wrong.
  const isOfThis = drawn && view && JSON.stringify({ ...drawn.query, region: undefined, size: undefined }) === text;
  return { drawn: isOfThis ? drawn : null, isFetching: query !== null && isFetching };
}

/** Where a picture lies in its frame. */
function placeOf(view: View, frame: Size, picture: Size, part: DrawnPicture | null, extent: Extent | null) {
  const corner = cornerOf(view, frame);
  const voxels = extent?.voxels ?? picture;
  const [x = 0, y = 0, width = voxels.width, height = voxels.height] = part?.query.region?.split(',').map(Number) ?? [];
  const across = (view.scale * picture.width) / voxels.width;
  const down = (view.scale * picture.height) / voxels.height;
  return {
    position: 'absolute',
    left: corner.x + x * across,
    top: corner.y + y * down,
    width: width * across,
    height: height * down,
    imageRendering: view.scale >= SQUARES_SCALE && extent ? 'pixelated' : 'auto',
  } as const;
}

function Legend({ scale, extent, frame }: { scale: number; extent: Extent | null; frame: Size | null }) {
  const angstroms = extent?.angstroms ?? null;
  const bar = chooseBar(angstroms && angstroms / scale, Math.min(MAX_BAR_PX, (frame?.width ?? 0) * 0.4));
  return (
    <>
      <output className="viewer-zoom">{texts.picture.zoomOf(scale, extent !== null)}</output>
      {bar && (
        <span className="viewer-bar" role="img" aria-label={texts.picture.scaleBar(bar.label)}>
          <span aria-hidden="true">{bar.label}</span>
          <span className="viewer-bar-line" style={{ width: bar.widthPx }} />
        </span>
      )}
    </>
  );
}

function Tool({ label, onPress, children }: { label: string; onPress: () => void; children: ReactNode }) {
  return (
    <button type="button" className="small" title={label} aria-label={label} onClick={onPress}>
      {children}
    </button>
  );
}
