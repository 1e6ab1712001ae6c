export { Arena } from './arena';
export { plan, type OutputNames, type PlanOptions, type TensorsOf } from './plan';
export { PlanCache, type PlanCacheOptions } from './plan-cache';
export type { PlanMemory } from './plan-memory';
export type { ProfileRow, StepProfile } from './profile';
export type { InputValue } from './inputs';
export type { TensorSpec, TensorSpecs } from './recording';
export { Step, type InputValues } from './step';
