export * from './codes';
export * from './dynamic-map';
