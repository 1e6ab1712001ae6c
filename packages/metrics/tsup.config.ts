import { packageBuild } from '../../tools/build/tsup';

export default packageBuild({ entry: { index: 'src/index.ts', tensors: 'src/tensors/index.ts' } });
