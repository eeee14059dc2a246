import { loadLater } from '../load-later.tsx';

/** The view of administrators, which few need: it is loaded when it is shown. */
export const AdminView = loadLater(async () => (await import('./admin-view.tsx')).AdminView);
