/**
 * Loads the library after the rest of the page, which is smaller without it. It is loaded as soon as the page has time, not
 * only when it is opened: a later version of the server does not have the files of this one.
 */
import type { FilesView } from './files-view.tsx';

const ATTEMPTS = 4;
const WAIT_MS = 1_000;

let loading: Promise<{ default: typeof FilesView }> | null = null;

/** @throws when the script cannot be loaded; the next call tries again. */
export function loadFilesView(): Promise<{ default: typeof FilesView }> {
  loading ??= load().catch((error: unknown) => {
    loading = null;
    throw error;
  });
  return loading;
}

async function load(): Promise<{ default: typeof FilesView }> {
  for (let attempt = 1; ; attempt++) {
    try {
      return { default: (await import('./files-view.tsx')).FilesView };
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS * attempt));
    }
  }
}
