import type { Linter } from 'eslint';

/** What all packages' sources say in one way. */
export declare const dialect: Linter.Config;
