import { packageBuild } from '../../tools/build/tsup';

// The shim stands in for import.meta.url in CommonJS, where the weights are found beside __filename.
const build = { entry: ['src/index.ts'], shims: true };

export default packageBuild(build);
