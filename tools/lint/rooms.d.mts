import type { Linter } from 'eslint';

/** Lint blocks that have the folders of a package import in one direction. */
export declare function rooms(options: { readonly folder: string; readonly order: readonly string[] }): Linter.Config[];
/** Sources that are built may not import what tests share. */
export declare const testingIsForTests: Linter.Config;
/** The trainer's rooms, in the order in which a run passes them. */
export declare const trainerRooms: Linter.Config[];
