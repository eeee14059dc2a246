/** What deploy/ offers for Prometheus and Grafana, held to a real server that has done its work. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { JOB_KINDS } from '../../packages/server/src/startup/background.ts';
import { makeMrc } from '../contract/sample.ts';
import { eventually, publish } from '../contract/upload.ts';
import { callAs } from '../contract/wire.ts';
import { type OwnServer, startServer } from '../server-under-test.ts';
import { readSamples, type Sample } from './exposition.ts';
import { bring, FOLDER, startPrometheus } from './prometheus.ts';

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

const missing = bring();
const withPrometheus = { skip: missing ?? false };
const ALERTS = readFileSync(join(FOLDER, 'alerts.yml'), 'utf8');
const ALERT_TESTS = readFileSync(join(FOLDER, 'alerts.test.yml'), 'utf8');
const DASHBOARD = JSON.parse(readFileSync(join(FOLDER, '../grafana/cryolift.json'), 'utf8')) as {
  panels: readonly Panel[];
};
const QUERIES = DASHBOARD.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));
const METRIC = /\b((?:cryolift|nodejs|process)_\w+)(?:\{([^}]*)\})?/g;
/** These are Prometheus' own, and say which server. */
const OF_THE_TARGET = ['job', 'instance'];

let server: OwnServer;
let samples: readonly Sample[];
before(async () => {
  server = await startServer();
  const call = callAs(server);
  assert.equal((await call('GET', '/uploads/nobody-has-this')).status, 404);
  await publish(call, makeMrc(2000));
  const isSurveyed = ({ name, labels, value }: Sample) =>
    name === 'cryolift_job_duration_seconds_count' && labels.outcome === 'done' && value === 1;
  samples = await eventually(
    () => readSamples(server),
    (read) => read.some(isSurveyed),
  );
});
after(() => server.discard());

for (const args of [
  ['check', 'config', 'prometheus.yml'],
  ['check', 'rules', 'alerts.yml'],
  ['test', 'rules', 'alerts.test.yml'],
]) {
  test(`deploy: promtool ${args.join(' ')}`, withPrometheus, () => {
    const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: FOLDER, encoding: 'utf8' });
    assert.equal(status, 0, stdout + stderr);
  });
}

test('alerts: alerts.test.yml has a case with and without each alert', () => {
  const names = [...ALERTS.matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
  assert.ok(names.length > 10);
  for (const name of names) {
    assert.match(ALERT_TESTS, new RegExp(`alertname: ${name}\n +exp_alerts:\n`), `${name} comes`);
    assert.match(ALERT_TESTS, new RegExp(`alertname: ${name}\n +exp_alerts: \\[\\]`), `${name} does not come`);
  }
});

test('deploy: every metric of ours is in the architecture, and none that is not', () => {
  const page = readFileSync(join(FOLDER, '../../docs/architecture/5-infrastructure-deployment.md'), 'utf8');
  const listed = [...page.matchAll(/`(cryolift_\w+)`/g)].map(([, name]) => name);
  const names = samples.map(({ name }) => name.replace(/_(bucket|sum|count)$/, ''));
  assert.deepEqual(new Set(listed), new Set(names.filter((name) => name.startsWith('cryolift_'))));
});

test('deploy: every alert is in the guide', () => {
  const guide = readFileSync(join(FOLDER, '../../docs/guides/monitoring.md'), 'utf8');
  for (const [, name = ''] of ALERTS.matchAll(/- alert: (\w+)/g)) assert.ok(guide.includes(name), name);
});

test('deploy: every metric and label of dashboard and alerts is in /metrics of a server that has done an upload', () => {
  const used = [ALERTS.replaceAll(/^.*(#|summary:).*$/gm, ''), ...QUERIES.map(({ expr }) => expr)];
  const found = used.flatMap((text) => [...text.matchAll(METRIC)]);
  assert.ok(found.length > 40);
  for (const [selector, name = '', matchers = ''] of found) {
    const series = samples.filter((sample) => sample.name === name);
    assert.ok(series.length > 0, name);
    for (const [, label = ''] of matchers.matchAll(/(\w+)(?:=~|!~|!=|=)"/g)) {
      if (!OF_THE_TARGET.includes(label)) assert.ok(series[0] && label in series[0].labels, selector);
    }
    for (const [, label = '', value = ''] of matchers.matchAll(/(\w+)="([^"]*)"/g)) {
      if (OF_THE_TARGET.includes(label)) continue;
      assert.ok(
        series.some(({ labels }) => labels[label] === value),
        selector,
      );
    }
  }
});

/** Each kind of jobs has two ends and twelve bounds of a histogram. */
const MOST_SAMPLES = JOB_KINDS.length * 2 * 12;

test('deploy: labels have few values', () => {
  const byName = Map.groupBy(samples, ({ name }) => name);
  for (const [name, { length }] of byName) assert.ok(length <= MOST_SAMPLES, `${name}: ${length}`);
});

interface Rules {
  groups: { rules: { name: string; health: string; lastError?: string }[] }[];
}

test(
  'deploy: a Prometheus that reads the server answers the whole dashboard, and knows every alert',
  withPrometheus,
  async (t) => {
    const prometheus = await startPrometheus(new URL(server.url).host);
    t.after(() => prometheus.stop());
    const listUnanswered = async () => {
      const unanswered: string[] = [];
      for (const { title, expr } of QUERIES) {
        const query = expr.replaceAll('$__rate_interval', '1m').replaceAll('$instance', '.*');
        const path = `/api/v1/query?query=${encodeURIComponent(query)}`;
        const { result } = await prometheus.ask<{ result: unknown[] }>(path);
        if (result.length === 0) unanswered.push(`${title}: ${query}`);
      }
      return unanswered;
    };
    await eventually(listUnanswered, ({ length }) => length === 0);
    const isEvaluated = ({ groups }: Rules) => groups[0]?.rules.every(({ health }) => health !== 'unknown') ?? false;
    const { groups } = await eventually(() => prometheus.ask<Rules>('/api/v1/rules'), isEvaluated);
    const troubles = groups.flatMap(({ rules }) => rules.filter(({ health }) => health !== 'ok'));
    assert.deepEqual(troubles, []);
  },
);
