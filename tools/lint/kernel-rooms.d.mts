import type { Linter } from 'eslint';

export const kernelRooms: Linter.Config[];
