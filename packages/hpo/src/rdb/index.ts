export { RdbStorage, type RdbStorageOptions } from './rdb-storage';
