export { baseMiniFiles, type BaseMiniFiles, type BaseMiniSource } from './files';
export { BaseMiniError, type BaseMiniErrorCode } from './errors';
