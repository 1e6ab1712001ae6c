// What the packages' own tests share. The entry `@qlora-js/kernels/testing` is there for sources alone: no build holds it.
export { describeBackends, type SuiteOptions, type TestBackend } from './backends';
export { expectClose, type Tolerance } from './expect-close';
export { expectDerivative } from './finite-differences';
export { forAll } from './for-all';
export { once } from './once';
export { runPoisoned } from './poison';
export { integers, normals } from './random-data';
export * from './random-weight';
