import { packageBuild } from '../../tools/build/tsup';

export default packageBuild({ entry: { index: 'src/index.ts', main: 'src/main.ts' }, format: ['esm'] });
