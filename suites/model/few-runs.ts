/** A test of some runs on a deployment. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { runCampaign } from './campaign.ts';
import type { DeploymentName } from './deployments/site.ts';
import { stopServices, whyNoSite } from './deployments/sites.ts';
import { printFailure } from './failure.ts';

export function testRuns(deployment: DeploymentName, runs: number): void {
  after(stopServices);
  test(`model, ${deployment}: ${runs} runs of random commands are answered as the model says`, {
    skip: whyNoSite(deployment) ?? false,
    // Half a minute where nothing else runs.
    timeout: 15 * 60_000,
  }, async () => {
    const { failure, answers } = await runCampaign({ deployment, runs, seed: 1 });
    assert.equal(failure, null, failure ? printFailure(failure) : '');
    assert.ok(answers > runs);
  });
}
