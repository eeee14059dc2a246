import { QueryClientProvider } from '@tanstack/react-query';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { createServices, ServicesProvider } from './services.ts';
import './style/tokens.css';
import './style/base.css';
import './style/controls.css';
import './style/shell.css';
import './style/uploads.css';
import './style/library.css';
import { keepAwake } from './uploads/keep-awake.ts';
import { warnBeforeLeaving } from './uploads/leaving.ts';

const services = createServices();
void services.live.follow();
void services.uploads.restore();
keepAwake(services.uploads.uploads);
warnBeforeLeaving(services.uploads.uploads);

createRoot(document.getElementById('page') as HTMLElement).render(
  <QueryClientProvider client={services.queries}>
    <ServicesProvider value={services}>
      <App />
    </ServicesProvider>
  </QueryClientProvider>,
);
