export { ConfusionAccumulator } from './confusion-accumulator';
