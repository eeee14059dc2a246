import { loadLater } from '../load-later.tsx';

/** The library. */
export const FilesView = loadLater(async () => (await import('./files-view.tsx')).FilesView);
