/** A server of a deployment that a test kills and starts again. */
import type { TestContext } from 'node:test';
import { findPort } from '../program.ts';
import { type OwnServer, type Settings, startServer } from '../server-under-test.ts';
import { makeFolder, PRELOAD } from './crash-site.ts';
import { type Deployment, type DeploymentName, openDeployment, removeFolder } from './deployments.ts';

interface Killable {
  /** Of the deployment; `arm` and `disarm` take it. */
  readonly folder: string;
  readonly deployment: Deployment;
  readonly server: OwnServer;
}

/** Discarded with the test. @param settings beside those of the deployment. */
export async function startKillable(t: TestContext, name: DeploymentName, settings: Settings): Promise<Killable> {
  const folder = makeFolder();
  t.after(() => removeFolder(folder));
  const deployment = await openDeployment(name, folder);
  const server = await startServer({
    ...deployment.settings,
    // The same after a restart.
    CRYOLIFT_PORT: String(await findPort()),
    ...settings,
    NODE_OPTIONS: `--import ${PRELOAD}`,
    CRASH_FOLDER: folder,
  });
  t.after(() => server.discard());
  return { folder, deployment, server };
}
