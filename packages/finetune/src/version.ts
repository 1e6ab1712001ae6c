/** This package's version, which saved files name. */
export const VERSION = '0.1.0';
