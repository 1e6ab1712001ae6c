export { baseMiniFiles, type BaseMiniFiles, type BaseMiniOptions, type BaseMiniSource } from './files';
export { BaseMiniError, type BaseMiniErrorCode } from './errors';
