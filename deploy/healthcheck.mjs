/**
 * Ends with 0 when the server of this container answers `GET /healthz`, else with 1: the HEALTHCHECK of the Dockerfile,
 * which has neither curl nor wget. With TLS the certificate is for another name than that of loopback.
 */
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';

const { CRYOLIFT_TLS_CERT: certificate, CRYOLIFT_PORT: port = '8080' } = process.env;
const request = certificate ? requestHttps : requestHttp;
const options = {
  host: '127.0.0.1',
  port: port || '8080',
  path: '/healthz',
  timeout: 4_000,
  rejectUnauthorized: false,
};

request(options, (answer) => process.exit(answer.statusCode === 200 ? 0 : 1))
  .on('timeout', () => process.exit(1))
  .on('error', (error) => {
    console.error(`cryolift: no answer on port ${options.port}: ${error.message}`);
    process.exit(1);
  })
  .end();
