/**
 * `Uploader` of the SDK, as its README has it: `node sender.ts FILE SERVER PARALLEL STATE`. The token comes from the
 * environment. Prints the record of the file.
 */
import { Uploader } from '@cryolift/client';
import { FileResumeStore, FileSource, HttpTransport } from '@cryolift/client/node';
import { MIB } from '@cryolift/protocol/plan';

const [path = '', server = '', parallel, state = ''] = process.argv.slice(2);
const transports = [new HttpTransport(server)];
const uploader = new Uploader({
  server,
  transport: transports[0] as HttpTransport,
  resumeStore: new FileResumeStore(state),
  getToken: async () => process.env.CRYOLIFT_TOKEN ?? '',
  openStorage: (origin) => {
    const transport = new HttpTransport(origin);
    transports.push(transport);
    return transport;
  },
  parallel: Number(parallel),
});
const source = await FileSource.open(path);
const file = await uploader.upload(source, { partSizeBytes: 8 * MIB });
await source.close();
for (const transport of transports) transport.close();
console.log(JSON.stringify(file));
