import { DataError } from '../errors';

/** What can stand for a slot, in every family: it is the phrasings that are kept apart. */
const slots: Readonly<Record<string, string>> = {
  amount:
    '£20|£35|£50|£80|£120|£200|40 pounds|65 pounds|150 pounds|300 pounds|' +
    '70 euros|90 dollars|£15|£60|£240|25 pounds|500 pounds|110 euros|75 dollars|£44|' +
    '£310|95 pounds|£18|£73|£165|£410|55 quid|220 pounds|85 euros|130 dollars',
  person:
    'my sister|my brother|my landlord|a friend|my cousin|Anna|Tom|my mother|my daughter|my flatmate|' +
    'Maria|Ben|my uncle|Priya|my dad|my aunt|a colleague|my ex|Sofia|Kwame',
  merchant:
    'the supermarket|the bookshop|the petrol station|the hotel|the cinema|the chemist|' +
    'the bakery|the shoe shop|the restaurant|the garage|the toy shop|the florist|' +
    'the gym|the greengrocer|the hairdresser|the furniture store|the coffee shop|the vet',
  city: 'London|Leeds|Paris|Rome|Berlin|Madrid|Bristol|Vienna|Cardiff|Oslo|Lisbon|Glasgow|Prague|Athens',
  country:
    'Spain|France|Italy|Poland|Japan|Germany|Canada|Greece|' +
    'Mexico|Norway|India|Portugal|Turkey|Kenya|Ireland|Denmark',
  currency:
    'euros|dollars|yen|Swiss francs|zloty|Canadian dollars|pesos|' +
    'rupees|Norwegian kroner|Turkish lira|Danish kroner|Kenyan shillings|rand',
  time:
    'three days|a week|two weeks|ten days|five days|four days|a month|' +
    'six days|a long while|eight days|a fortnight|several weeks|nearly a month',
  day: 'yesterday|Monday|Tuesday|Thursday|Friday|Sunday|last week|last month|last weekend|last night',
  when:
    'yesterday|on Monday|last week|on Friday|this morning|on Tuesday|last month|' +
    'on Sunday|last weekend|on Thursday|the other day|earlier today|last night',
};

/** The fillers of a slot. @throws DataError INVALID_OPTION for a slot that is not in the table: a slip in a phrasing */
export function slotFillers(slot: string): readonly string[] {
  const fillers = Object.hasOwn(slots, slot) ? slots[slot] : undefined;
  if (fillers === undefined) {
    const known = Object.keys(slots).join(', ');
    throw new DataError('INVALID_OPTION', `no slot is called {${slot}}; there are ${known}`, { value: slot });
  }
  return fillers.split('|');
}
