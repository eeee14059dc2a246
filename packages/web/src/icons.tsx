/** Drawn by us: 20 by 20, strokes of the text's colour. The button around one has the words. */
const PATHS = {
  pause: 'M7 4v12M13 4v12',
  play: 'M6 4l10 6-10 6z',
  cross: 'M5 5l10 10M15 5L5 15',
  retry: 'M16 10a6 6 0 1 1-2-4.5M16 3v4h-4',
  check: 'M4 10.5l4 4 8-9',
  file: 'M5 2.5h7l3.5 3.5v11.5H5zM12 2.5V6h3.5',
  folder: 'M2.5 5h5l2 2h8v9h-15z',
  download: 'M10 3v10M5.5 9l4.5 4.5L14.5 9M3.5 17h13',
  trash: 'M4 5.5h12M8 5.5V3.5h4v2M5.5 5.5l.8 11h7.4l.8-11M8.5 8.5v5M11.5 8.5v5',
  copy: 'M7 7h9.5v9.5H7zM4 13H3.5V3.5H13V4',
  warning: 'M10 3l7.5 13.5h-15zM10 8.5v4M10 14.5v.1',
  link: 'M8 12l4-4M9 6l1.5-1.5a3.2 3.2 0 0 1 4.5 4.5L13.5 10.5M11 14l-1.5 1.5A3.2 3.2 0 0 1 5 11L6.5 9.5',
  back: 'M12.5 4L6.5 10l6 6',
  table: 'M3 5h14M3 10h14M3 15h14',
  grid: 'M3.5 3.5h5v5h-5zM11.5 3.5h5v5h-5zM3.5 11.5h5v5h-5zM11.5 11.5h5v5h-5z',
  upload: 'M10 14V4M5.5 8L10 3.5 14.5 8M3.5 17h13',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
