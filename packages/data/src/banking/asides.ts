import { type SeededRandom } from '../random';
import { type Split } from './intent';
import { speak } from './phrasing';

/** How a message sets one or two other matters aside before it asks. */
const frames: Readonly<Record<Split, readonly string[]>> = {
  train: [
    '[This is|My question is] not about {topic}.',
    "I [don't|do not] mean {topic}.",
    'Forget {topic} for now.',
    'You already [answered me|told me] about {topic}.',
    '{topic} can wait.',
    '{topic}? No, something else.',
    '[This is|My question is] not about {topic} or {topic}.',
    'I mean neither {topic} nor {topic}.',
    'You already [answered me|told me] about {topic} and {topic}.',
    'Neither {topic} nor {topic} [matters|is urgent] now.',
  ],
  validation: [
    'Never mind {topic}.',
    'Leave {topic} aside.',
    'I [asked|wrote] about {topic} before, this is new.',
    'Never mind {topic} or {topic}.',
    'Leave {topic} and {topic} aside.',
  ],
  test: [
    "I'm not writing about {topic}.",
    '{topic} is [sorted|solved], thanks.',
    'No question about {topic} [today|now].',
    'We already talked about {topic}.',
    'Not {topic} this time.',
    "I'm not writing about {topic} or {topic}.",
    'We already talked about {topic} and {topic}.',
    'Not {topic}, and not {topic} [this time|either].',
  ],
};

/** What a matter is called when it is not the one that is asked about. */
const topics: Readonly<Record<string, Readonly<Record<Split, readonly string[]>>>> = {
  check_balance: {
    train: ['my balance', 'the money left in my account', 'how much I can spend'],
    validation: ["what's available in my account", 'the remaining funds'],
    test: ['my account balance', 'how much money I have', "what's left in my savings"],
  },
  close_account: {
    train: ['closing my account', 'leaving the bank', 'ending my membership'],
    validation: ['moving to another bank', 'shutting the account'],
    test: ['closing the account for good', 'quitting the bank', 'deleting my account'],
  },
  card_arrival: {
    train: ["the new card that hasn't come", 'the late replacement card', 'the card lost in the post'],
    validation: ["the card I'm waiting for", 'the card that should be here'],
    test: ["the new card that's still not here", 'the card I ordered {time} ago', 'the late card'],
  },
  card_delivery_estimate: {
    train: ['delivery times', 'how long a new card takes', 'express delivery'],
    validation: ['the delivery of a new card', 'how soon a card can be here'],
    test: ['how fast a card is delivered', 'card delivery to {country}', 'how many days a card takes'],
  },
  lost_or_stolen_card: {
    train: ['the card I lost', 'my stolen wallet', 'the card left at {merchant}'],
    validation: ['the missing card', 'the bag with my card in it'],
    test: ['my lost card', 'the card stolen {when}', 'the wallet I left at {merchant}'],
  },
  unrecognised_payment: {
    train: ['a payment I did not make', 'the strange charge of {amount}', "the purchase that wasn't mine"],
    validation: ['the unknown payment', 'a charge that is not mine'],
    test: ["the charge I don't recognise", 'the {amount} somebody spent in {city}', 'fraud on my card'],
  },
  freeze_card: {
    train: ['freezing my card', 'locking the card', 'a block on my card'],
    validation: ['pausing my card', 'switching the card off'],
    test: ['blocking my card', 'turning my card off', 'a lock for my card'],
  },
  change_pin: {
    train: ['changing the PIN of my card', 'a new PIN', 'choosing my own code'],
    validation: ['another PIN', 'replacing my code'],
    test: ['a different PIN', 'setting another PIN', 'a new code'],
  },
  pin_blocked: {
    train: ['my blocked PIN', 'the wrong PIN I typed', 'my locked code'],
    validation: ['the PIN that is blocked', 'too many PIN tries'],
    test: ['the PIN I got wrong', 'unblocking my PIN', 'three wrong PIN tries'],
  },
  transfer_not_received: {
    train: ['the transfer {person} is waiting for', 'the money I sent {person}', 'my transfer that never arrived'],
    validation: ['the transfer to {person}', 'what I sent to {country}'],
    test: [
      'the {amount} I sent to {person}',
      'the transfer {person} has not got',
      'money {person} should have from me',
    ],
  },
  cancel_transfer: {
    train: ['cancelling a transfer', 'the transfer to the wrong account', 'taking back the money for {person}'],
    validation: ['stopping a transfer', 'undoing what I sent'],
    test: ['the transfer I wanted to stop', 'cancelling the money to {person}', 'the mistake in my transfer'],
  },
  transfer_fee: {
    train: ['the fee for transfers', 'what a transfer costs', 'the commission for sending money'],
    validation: ['the charge for my transfer', 'fees abroad'],
    test: ['the cost of my transfer', 'transfer fees', 'the fee for sending {amount}'],
  },
  declined_payment: {
    train: ['my declined payment', 'the card refused at {merchant}', 'the payment that failed'],
    validation: ['the refused payment', 'a card that was declined'],
    test: ['the card {merchant} declined', 'the rejected payment {when}', 'my card not working at {merchant}'],
  },
  duplicate_charge: {
    train: ['being charged twice', 'the double charge of {amount}', 'the payment booked two times'],
    validation: ['the payment made twice', 'two charges for one meal'],
    test: ['paying {merchant} twice', 'the second charge of {amount}', 'the double payment'],
  },
  refund_request: {
    train: ['a refund from {merchant}', 'getting my money back', 'returning the shoes'],
    validation: ['my money back from {merchant}', 'asking for a refund'],
    test: ['claiming a refund from {merchant}', 'my money back for the broken lamp', 'a refund of {amount}'],
  },
  refund_missing: {
    train: ["the refund I'm waiting for", 'the missing refund', 'the credit {merchant} sent'],
    validation: ['the refund I was promised', 'when my refund comes'],
    test: ['the refund that has not come', 'the {amount} {merchant} gave back', 'my late refund'],
  },
  cash_withdrawal_fee: {
    train: ['the fee for withdrawing cash', 'what cash machines cost', 'the ATM fee'],
    validation: ['the charge for cash', 'fees for withdrawals'],
    test: ['the cost of taking out cash', 'withdrawal fees in {country}', "the machine's fee of {amount}"],
  },
  wrong_cash_amount: {
    train: ['the cash machine that gave too little', 'the missing notes', 'the ATM that kept my cash'],
    validation: ['cash that did not come out', 'the wrong amount of cash'],
    test: ['the notes missing {when}', 'the ATM that paid out too little', 'the cash the machine kept'],
  },
  exchange_rate: {
    train: ['the exchange rate', 'how many {currency} I get', 'the rate for {currency}'],
    validation: ['buying {currency}', 'your exchange rates'],
    test: ["today's rate for {currency}", 'the current exchange rate', 'what {amount} is in {currency}'],
  },
  wrong_exchange_rate: {
    train: ['the wrong exchange rate', 'the bad rate for {currency}', 'the conversion of my payment'],
    validation: ['a rate that was wrong', 'the conversion I complained about'],
    test: ['the wrong rate I got in {country}', 'the conversion of my {currency}', 'the rate on my statement'],
  },
};

/**
 * The query after a remark that other matters are not meant. Counting words then finds several intents in one message: it takes
 * the order of the words to tell which of them is asked about.
 */
export function withAside(query: string, intent: string, split: Split, random: SeededRandom): string {
  const others = Object.keys(topics).filter((name) => name !== intent);
  const remark = random
    .pick(frames[split])
    .replaceAll('{topic}', () => random.pick(topics[random.pick(others)]![split]));
  return `${speak(remark, random)} ${query}`;
}
