/** The points of a deployment as a test. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type DeploymentName, stopServices, whyNoDeployment } from './deployments.ts';
import { killAtEach } from './each-point.ts';

/** A minute where nothing else runs; ten times as much where others work on the machine. */
const TIMEOUT_MS = 15 * 60_000;

export function testPoints(name: DeploymentName, what: string): void {
  const missing = whyNoDeployment(name);
  after(stopServices);
  test(`a kill at each durable step on ${what} loses nothing`, {
    timeout: TIMEOUT_MS,
    skip: missing ?? false,
  }, async () => {
    const { kills, unreached, faults, evidence } = await killAtEach(name);
    assert.deepEqual(faults, [], `evidence in ${evidence}`);
    assert.deepEqual(unreached, [], 'the workload comes by every point');
    assert.ok(kills > 20, `${kills} kills`);
  });
}
