/** The frame of the page: where one is, who one is, what is wrong, and what one came for. */
import { useCell } from './cell.ts';
import { formatTime } from './format.ts';
import { Icon } from './icons.tsx';
import { ActivityView } from './library/activity-view.tsx';
import { FilesView } from './library/files-view.tsx';
import { route } from './route.ts';
import { useServices } from './services.ts';
import { SignInView } from './signing-in/sign-in.tsx';
import { TokenNotice } from './signing-in/token-notice.tsx';
import { texts } from './texts.ts';
import { Announcer } from './uploads/announcer.tsx';
import { useDrop } from './uploads/drop-zone.tsx';
import { sumUp } from './uploads/totals.ts';
import { UploadView } from './uploads/upload-view.tsx';

export function App() {
  const { keeper } = useServices();
  const signedIn = useCell(keeper.state);
  const isOver = useDrop();
  return (
    <>
      <button type="button" className="skip" onClick={() => document.getElementById('content')?.focus()}>
        {texts.skip}
      </button>
      <Header />
      <main id="content" tabIndex={-1}>
        <ReachNotice />
        <TokenNotice />
        {signedIn.kind === 'no' ? <SignInView /> : <View />}
      </main>
      <Announcer />
      {isOver && (
        <div className="drop-overlay" aria-hidden="true">
          <p>
            <Icon name="upload" /> {texts.drop.overlay}
          </p>
        </div>
      )}
    </>
  );
}

function View() {
  const here = useCell(route);
  if (here.view === 'activity') return <ActivityView />;
  if (here.view === 'files') return <FilesView fileId={here.fileId} />;
  return <UploadView />;
}

function Header() {
  const { keeper, uploads } = useServices();
  const signedIn = useCell(keeper.state);
  const { view } = useCell(route);
  const { activeFiles } = sumUp(useCell(uploads.uploads));
  const link = (to: typeof view, label: string, count = 0) => (
    <a href={`#${to}`} aria-current={view === to ? 'page' : undefined}>
      {label}
      {count > 0 && <span className="count">{count}</span>}
    </a>
  );
  return (
    <header className="header">
      <a className="brand" href="#upload">
        <img src="/icon.svg" alt="" width="28" height="28" />
        {texts.product}
      </a>
      {signedIn.kind !== 'no' && (
        <>
          <nav aria-label={texts.nav.label}>
            {link('upload', texts.nav.upload, activeFiles)}
            {link('activity', texts.nav.activity)}
            {link('files', texts.nav.files)}
          </nav>
          <div className="who">
            <span className="subject" title={texts.signIn.as(signedIn.claims.subject)}>
              {signedIn.claims.subject}
              {signedIn.claims.expiresAtMs !== null && (
                <span className="faint">
                  {' '}
                  {texts.signIn.until(formatTime(new Date(signedIn.claims.expiresAtMs).toISOString()))}
                </span>
              )}
            </span>
            <button type="button" className="small" onClick={() => keeper.forget()}>
              {texts.signIn.out}
            </button>
          </div>
        </>
      )}
    </header>
  );
}

function ReachNotice() {
  const { transport } = useServices();
  const reach = useCell(transport.reach);
  return (
    <div role="status">
      {!isSecureContext && <p className="notice notice-warning">{texts.reach.insecure}</p>}
      {reach !== 'reached' && <p className="notice notice-warning notice-late">{texts.reach[reach]}</p>}
    </div>
  );
}
