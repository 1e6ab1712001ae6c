import { type Split } from './intent';

/** What can stand for a slot: known to every family, and words that one family keeps to itself. */
interface SlotFillers extends Readonly<Partial<Record<Split, readonly string[]>>> {
  readonly shared: readonly string[];
}

const slots: Readonly<Record<string, SlotFillers>> = {
  amount: {
    shared: [
      '£20',
      '£35',
      '£50',
      '£80',
      '£120',
      '£200',
      '40 pounds',
      '65 pounds',
      '150 pounds',
      '300 pounds',
      '70 euros',
      '90 dollars',
    ],
    train: ['£15', '£60', '£240', '25 pounds', '500 pounds', '110 euros', '75 dollars'],
    validation: ['£44', '£310', '95 pounds'],
    test: ['£18', '£73', '£165', '£410', '55 quid', '220 pounds', '85 euros', '130 dollars'],
  },
  person: {
    shared: ['my sister', 'my brother', 'my landlord', 'a friend', 'my cousin', 'Anna', 'Tom'],
    train: ['my mother', 'my daughter', 'my flatmate', 'Maria', 'Ben'],
    validation: ['my uncle', 'Priya'],
    test: ['my dad', 'my aunt', 'a colleague', 'my ex', 'Sofia', 'Kwame'],
  },
  merchant: {
    shared: ['the supermarket', 'the bookshop', 'the petrol station', 'the hotel', 'the cinema', 'the chemist'],
    train: ['the bakery', 'the shoe shop', 'the restaurant', 'the garage', 'the toy shop'],
    validation: ['the florist', 'the gym'],
    test: ['the greengrocer', 'the hairdresser', 'the furniture store', 'the coffee shop', 'the vet'],
  },
  city: {
    shared: ['London', 'Leeds', 'Paris', 'Rome', 'Berlin'],
    train: ['Madrid', 'Bristol', 'Vienna'],
    validation: ['Cardiff', 'Oslo'],
    test: ['Lisbon', 'Glasgow', 'Prague', 'Athens'],
  },
  country: {
    shared: ['Spain', 'France', 'Italy', 'Poland', 'Japan'],
    train: ['Germany', 'Canada', 'Greece', 'Mexico'],
    validation: ['Norway', 'India'],
    test: ['Portugal', 'Turkey', 'Kenya', 'Ireland', 'Denmark'],
  },
  currency: {
    shared: ['euros', 'dollars', 'yen', 'Swiss francs'],
    train: ['zloty', 'Canadian dollars', 'pesos'],
    validation: ['rupees', 'Norwegian kroner'],
    test: ['Turkish lira', 'Danish kroner', 'Kenyan shillings', 'rand'],
  },
  time: {
    shared: ['three days', 'a week', 'two weeks', 'ten days'],
    train: ['five days', 'four days', 'a month'],
    validation: ['six days', 'a long while'],
    test: ['eight days', 'a fortnight', 'several weeks', 'nearly a month'],
  },
  when: {
    shared: ['yesterday', 'on Monday', 'last week', 'on Friday'],
    train: ['this morning', 'on Tuesday', 'last month'],
    validation: ['on Sunday', 'last weekend'],
    test: ['on Thursday', 'the other day', 'earlier today', 'last night'],
  },
};

/** The fillers of a slot for one family. @throws Error for a slot that is not in the table (a slip in a phrasing) */
export function slotFillers(slot: string, split: Split): readonly string[] {
  const fillers = Object.hasOwn(slots, slot) ? slots[slot] : undefined;
  if (fillers === undefined) throw new Error(`no slot is called {${slot}}; there are ${Object.keys(slots).join(', ')}`);
  return [...fillers.shared, ...(fillers[split] ?? [])];
}
