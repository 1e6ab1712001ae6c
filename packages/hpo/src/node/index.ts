export { JournalFileBackend, type JournalFileBackendOptions } from './journal-file-backend';
