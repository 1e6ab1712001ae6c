import packageJson from '../package.json' with { type: 'json' };

/** This package's version, which checkpoints name. */
export const VERSION: string = packageJson.version;
