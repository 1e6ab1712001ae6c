import { packageBuild } from '../../tools/build/tsup';

export default packageBuild({ entry: { index: 'src/index.ts', node: 'src/node/index.ts', rdb: 'src/rdb/index.ts' } });
