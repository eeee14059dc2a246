/** The composition root of the page. */
import { XhrTransport } from '@cryolift/client/browser';
import { createContext, useContext } from 'react';
import type { Account } from './account.ts';
import { Accounts } from './accounts.ts';
import { WatchedTransport } from './live/watched-transport.ts';
import { ProviderSignIn } from './provider/provider-sign-in.ts';
import type { ProviderAnswer } from './provider/started-sign-in.ts';
import { identify } from './signing-in/subject.ts';
import { TokenKeeper } from './signing-in/token-keeper.ts';
import { readSaved } from './signing-in/token-storage.ts';

/** Services that do not depend on the account. */
export type Services = ReturnType<typeof createServices>;

/** @param answer of the identity provider, in the address from which the page was loaded. */
export function createServices(answer: ProviderAnswer | null) {
  const transport = new WatchedTransport(new XhrTransport(location.origin));
  const provider = new ProviderSignIn(transport);
  const keeper = new TokenKeeper((token) => identify(transport, token), provider);
  const accounts = new Accounts(keeper, transport);
  provider.onSignedIn = (grant) => keeper.takeGrant(grant);
  // The button Back can load an old answer again, which matters to nobody who is signed in.
  const isOld = answer !== null && answer.started === null && readSaved() !== null;
  keeper.start(answer && !isOld ? provider.finish(answer) : null);
  void provider.load();
  return { transport, provider, keeper, accounts };
}

const ServicesContext = createContext<Services | null>(null);
export const ServicesProvider = ServicesContext.Provider;

export function useServices(): Services {
  return useContext(ServicesContext) as Services;
}

const AccountContext = createContext<Account | null>(null);
export const AccountProvider = AccountContext.Provider;

/** The current account. Only for components that are rendered while somebody is signed in. */
export function useAccount(): Account {
  return useContext(AccountContext) as Account;
}
