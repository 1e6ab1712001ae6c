/** `Node.js v20.20.2 on linux x64, 2 cores`, or the browser's user agent. */
export function describeRuntime(): string {
  const node = nodeProcess();
  if (node === undefined) return typeof navigator === 'undefined' ? 'unknown' : navigator.userAgent;
  const cores = node.getBuiltinModule('node:os').availableParallelism();
  return `Node.js ${node.version} on ${node.platform} ${node.arch}, ${cores} ${cores === 1 ? 'core' : 'cores'}`;
}

/** Node's process object, or undefined in browsers, bundlers' stand-ins included. */
export function nodeProcess(): NodeJS.Process | undefined {
  return typeof process === 'object' && typeof process.versions?.node === 'string' ? process : undefined;
}
