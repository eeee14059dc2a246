import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { DatasetsView } from './datasets/lazy-datasets.tsx';
import { FilesView } from './library/lazy-files-view.ts';
import { SignInWindow, tabOfWindow } from './provider/sign-in-window.tsx';
import { takeAnswer } from './provider/started-sign-in.ts';
import { createServices, ServicesProvider } from './services.ts';
import './style/tokens.css';
import './style/base.css';
import './style/controls.css';
import './style/shell.css';
import './style/uploads.css';
import './style/library.css';
import './style/files.css';
import './style/pictures.css';
import { warnBeforeLeaving } from './uploads/leave-warning.ts';
import { holdWakeLock } from './uploads/wake-lock.ts';

const page = createRoot(document.getElementById('page') as HTMLElement);
const answer = takeAnswer();
const tab = tabOfWindow(answer);
if (tab === null) {
  const services = createServices(answer);
  holdWakeLock(services.accounts.uploads);
  warnBeforeLeaving(services.accounts);
  // A failure is reported when the library is opened.
  addEventListener('load', () =>
    setTimeout(() => Promise.all([FilesView.preload(), DatasetsView.preload()]).catch(() => {})),
  );
  page.render(
    <ServicesProvider value={services}>
      <App />
    </ServicesProvider>,
  );
} else {
  page.render(<SignInWindow tab={tab} answer={answer} />);
}
