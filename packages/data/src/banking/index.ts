export { type BankingData, type BankingOptions, type BankingQuery, generateBankingIntents } from './generate';
