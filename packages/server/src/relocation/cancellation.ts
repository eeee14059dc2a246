/** Gives a relocation up that has not ended, so that the server starts on the source again. */

import { giveUpRelocation } from './marking.ts';
import { type Address, lockSides, nameDatabase, openDatabase, readSource } from './sides.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** @returns the name of the target. @throws SettingError when there is nothing to give up, or it is running. */
export async function cancelRelocation(env: Environment, from: Address): Promise<string> {
  const source = readSource(env, from);
  const unlock = await lockSides({ source, target: source });
  try {
    const db = await openDatabase(source, false);
    try {
      return await giveUpRelocation(db, nameDatabase(source.database));
    } finally {
      await db.destroy();
    }
  } finally {
    unlock();
  }
}
