/** What the page is made of, put together once. */
import { XhrTransport } from '@cryolift/client/browser';
import { createContext, useContext } from 'react';
import type { Account } from './account.ts';
import { Accounts } from './accounts.ts';
import { WatchedTransport } from './live/watched-transport.ts';
import { identify } from './signing-in/subject.ts';
import { TokenKeeper } from './signing-in/token-keeper.ts';

/** What is there whoever is signed in. */
export type Services = ReturnType<typeof createServices>;

export function createServices() {
  const transport = new WatchedTransport(new XhrTransport(location.origin));
  const keeper = new TokenKeeper((token) => identify(transport, token));
  const accounts = new Accounts(keeper, transport);
  keeper.begin();
  return { transport, keeper, accounts };
}

const ServicesContext = createContext<Services | null>(null);
export const ServicesProvider = ServicesContext.Provider;

export function useServices(): Services {
  return useContext(ServicesContext) as Services;
}

const AccountContext = createContext<Account | null>(null);
export const AccountProvider = AccountContext.Provider;

/** Of whoever is signed in; for components that are there only then. */
export function useAccount(): Account {
  return useContext(AccountContext) as Account;
}
