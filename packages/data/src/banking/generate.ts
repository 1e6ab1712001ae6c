import { Dataset } from '../dataset/dataset';
import { LabelMap } from '../dataset/label-map';
import { DataError, shown } from '../errors';
import { SeededRandom } from '../random';
import { withAside } from './asides';
import { type Intent, type Split } from './intent';
import { accountIntents } from './intents/account';
import { cardDeliveryIntents } from './intents/card-delivery';
import { cardSecurityIntents } from './intents/card-security';
import { cashAndExchangeIntents } from './intents/cash-and-exchange';
import { paymentIntents } from './intents/payments';
import { pinIntents } from './intents/pin';
import { transferIntents } from './intents/transfers';
import { speak } from './phrasing';
import { typed } from './style';

/** The intents, in the order of their ids. */
export const bankingIntents: readonly Intent[] = [
  ...accountIntents,
  ...cardDeliveryIntents,
  ...cardSecurityIntents,
  ...pinIntents,
  ...transferIntents,
  ...paymentIntents,
  ...cashAndExchangeIntents,
];

/** A generated query, its intent's name, and the phrasing that it was made of. */
export type BankingQuery = { text: string; label: string; phrasing: string };

export interface BankingOptions {
  /** Default 0. Equal options give equal data. */
  seed?: number;
  /** Default 70. */
  trainPerIntent?: number;
  /** Default 10. */
  validationPerIntent?: number;
  /** Default 20. */
  testPerIntent?: number;
}

export interface BankingData {
  train: Dataset<BankingQuery>;
  validation: Dataset<BankingQuery>;
  test: Dataset<BankingQuery>;
  labelMap: LabelMap;
}

/** Share of the queries that first set other intents' matters aside. */
const asideRate = 0.7;

/** Tries at an unseen query before a phrasing counts as used up. */
const patience = 40;

/**
 * A small data set of customers' questions to a bank, made from phrasings written for this project. Validation and test
 * have phrasings of their own, and no query is there twice, whatever its capitals and punctuation: what is measured is
 * how well a classifier carries over to sentences it was never shown. Most queries first name other intents' matters, to say that
 * they are not meant, so that a model has to read the order of the words and not just count them.
 *
 * @throws DataError `INVALID_OPTION` when an intent cannot make that many different queries
 */
export function generateBankingIntents(options: BankingOptions = {}): BankingData {
  const { seed = 0, trainPerIntent = 70, validationPerIntent = 10, testPerIntent = 20 } = options;
  const seen = new Set<string>();
  const made = (split: Split, count: number, stream: number): Dataset<BankingQuery> => {
    if (!Number.isInteger(count) || count < 0) {
      throw new DataError('INVALID_OPTION', `${split}PerIntent is a number of queries, got ${shown(count)}`, count);
    }
    const random = new SeededRandom([seed, stream]);
    const queries = bankingIntents.flatMap((intent) => queriesOf({ intent, split, count, random, seen }));
    return Dataset.fromRows<BankingQuery>(queries, ['text', 'label', 'phrasing']).select(
      random.permutation(queries.length),
    );
  };
  return {
    train: made('train', trainPerIntent, 0),
    validation: made('validation', validationPerIntent, 1),
    test: made('test', testPerIntent, 2),
    labelMap: LabelMap.fromNames(bankingIntents.map(({ name }) => name)),
  };
}

function queriesOf({
  intent,
  split,
  count,
  random,
  seen,
}: {
  intent: Intent;
  split: Split;
  count: number;
  random: SeededRandom;
  seen: Set<string>;
}): BankingQuery[] {
  const queries: BankingQuery[] = [];
  let phrasings = [...intent[split]];
  for (let turn = 0; queries.length < count; turn++) {
    const phrasing = phrasings[turn % phrasings.length];
    if (phrasing === undefined) {
      throw new DataError(
        'INVALID_OPTION',
        `the intent ${intent.name} has no more than ${queries.length} different ${split} queries, asked for ${count}`,
        count,
      );
    }
    const text = unseenQuery({ intent: intent.name, phrasing, split, random, seen });
    if (text === undefined) phrasings = phrasings.filter((other) => other !== phrasing);
    else queries.push({ text, label: intent.name, phrasing });
  }
  return queries;
}

function unseenQuery({
  intent,
  phrasing,
  split,
  random,
  seen,
}: {
  intent: string;
  phrasing: string;
  split: Split;
  random: SeededRandom;
  seen: Set<string>;
}): string | undefined {
  for (let attempt = 0; attempt < patience; attempt++) {
    const query = speak(phrasing, random);
    // The bare sentence is what must be new: a greeting or a slip does not make another query.
    const key = bareWords(query);
    if (seen.has(key)) continue;
    seen.add(key);
    return typed(random.random() < asideRate ? withAside(query, intent, split, random) : query, random);
  }
  return undefined;
}

/** Letters and digits only: what makes two queries the same whatever their capitals and punctuation. */
export function bareWords(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}
