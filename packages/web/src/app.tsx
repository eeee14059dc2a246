/** The frame of the page: header, notices, and the current view. */
import { QueryClientProvider } from '@tanstack/react-query';
import type { Account } from './account.ts';
import { useDrop } from './adding/drop-zone.tsx';
import { AdminView } from './admin/lazy-admin-view.ts';
import { useCell } from './cell.ts';
import { route } from './current-route.ts';
import { DatasetsView } from './datasets/lazy-datasets.tsx';
import { Icon } from './icons.tsx';
import { ActivityView } from './library/activity-view.tsx';
import { FilesView } from './library/lazy-files-view.ts';
import { Announcer } from './progress/announcer.tsx';
import { sumUp } from './progress/totals.ts';
import { AccountProvider, useServices } from './services.ts';
import { LinkNotice, LinkQuestion } from './signing-in/link-question.tsx';
import { SignInView } from './signing-in/sign-in.tsx';
import { SignedInAs, SignOutButton } from './signing-in/signed-in-as.tsx';
import { TokenNotice } from './signing-in/token-notice.tsx';
import { texts } from './texts.ts';
import { UploadView } from './uploads/upload-view.tsx';
import { ViewGuard } from './view-guard.tsx';

/** The key removes the state of all components when another subject signs in. */
export function App() {
  const { accounts } = useServices();
  const account = useCell(accounts.current);
  if (!account) return <Frame account={null} />;
  return (
    <AccountProvider key={account.subject.key} value={account}>
      <QueryClientProvider client={account.queries}>
        <Frame account={account} />
      </QueryClientProvider>
    </AccountProvider>
  );
}

function Frame({ account }: { account: Account | null }) {
  const isOver = useDrop();
  return (
    <>
      <button type="button" className="skip" onClick={() => document.getElementById('content')?.focus()}>
        {texts.skip}
      </button>
      <Header account={account} />
      <main id="content" tabIndex={-1}>
        <ConnectivityNotice />
        <LinkNotice />
        <TokenNotice />
        {account ? <View /> : <SignInView />}
      </main>
      {account && <Announcer />}
      <LinkQuestion />
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
  const { keeper } = useServices();
  useCell(keeper.state);
  // An upload link permits nothing else.
  if (keeper.subject?.isLink) return <UploadView />;
  return (
    <ViewGuard key={here.view}>
      {here.view === 'activity' && <ActivityView />}
      {here.view === 'files' && <FilesView fileId={here.fileId} />}
      {here.view === 'datasets' && <DatasetsView datasetId={here.datasetId} />}
      {here.view === 'upload' && <UploadView />}
      {here.view === 'admin' && <AdminView />}
    </ViewGuard>
  );
}

function Header({ account }: { account: Account | null }) {
  const { keeper, accounts } = useServices();
  useCell(keeper.state);
  const { view } = useCell(route);
  const { activeFiles } = sumUp(useCell(accounts.uploads));
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
      {account && (
        <>
          {!account.subject.isLink && (
            <nav aria-label={texts.nav.label}>
              {link('upload', texts.nav.upload, activeFiles)}
              {link('activity', texts.nav.activity)}
              {link('files', texts.nav.files)}
              {link('datasets', texts.nav.datasets)}
              {keeper.subject?.isAdmin && link('admin', texts.nav.admin)}
            </nav>
          )}
          <div className="account">
            <SignedInAs />
            <SignOutButton />
          </div>
        </>
      )}
    </header>
  );
}

function ConnectivityNotice() {
  const { transport } = useServices();
  const connectivity = useCell(transport.connectivity);
  return (
    <div role="status">
      {!isSecureContext && <p className="notice notice-warning">{texts.connectivity.insecure}</p>}
      {connectivity !== 'online' && (
        <p className="notice notice-warning notice-late">{texts.connectivity[connectivity]}</p>
      )}
    </div>
  );
}
