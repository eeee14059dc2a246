import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { createServices, ServicesProvider } from './services.ts';
import './style/tokens.css';
import './style/base.css';
import './style/controls.css';
import './style/shell.css';
import './style/uploads.css';
import './style/library.css';
import { warnBeforeLeaving } from './uploads/leave-warning.ts';
import { holdWakeLock } from './uploads/wake-lock.ts';

const services = createServices();
holdWakeLock(services.accounts.uploads);
warnBeforeLeaving(services.accounts);

createRoot(document.getElementById('page') as HTMLElement).render(
  <ServicesProvider value={services}>
    <App />
  </ServicesProvider>,
);
