import { packageBuild } from '../../tools/build/tsup';

export default packageBuild({
  entry: {
    index: 'src/index.ts',
    node: 'src/node/index.ts',
    replica: 'src/node/replica.ts',
    'predict-thread': 'src/node/predict-thread.ts',
  },
});
