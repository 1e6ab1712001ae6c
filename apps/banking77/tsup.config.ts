import { packageBuild } from '../../tools/build/tsup';

export default packageBuild({ entry: ['src/main.ts'], format: ['esm'], dts: false });
