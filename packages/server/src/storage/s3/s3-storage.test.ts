import { describeStorage } from '../test-contract.ts';
import { describeCompression } from '../test-contract-compression.ts';
import { makeBucket, withService } from './test-bucket.ts';

describeStorage('s3', makeBucket, withService);
describeCompression('s3', makeBucket, withService);
