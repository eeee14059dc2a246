import { describeStorage } from '../test-contract.ts';
import { makeBucket, withService } from './test-bucket.ts';

describeStorage('s3', makeBucket, withService);
