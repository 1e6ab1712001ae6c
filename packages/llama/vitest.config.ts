import { packageTests } from '../../tools/test/vitest';

export default packageTests(import.meta.url);
