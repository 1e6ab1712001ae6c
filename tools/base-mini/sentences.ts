/** Texts that the pretraining never saw, written for this measurement; tests repeat it on them. */
export const SENTENCES: readonly string[] = [
  'My card was swallowed by the machine outside your branch and I need a new one before Friday.',
  'Why did the shop take the money twice when I only bought one pair of shoes?',
  'Could you tell me how long a transfer to an account in another country usually takes?',
  'The app says my identity could not be confirmed, but I sent you a photo of my passport yesterday.',
  'I would like to change the pin of my card because I think somebody was looking over my shoulder.',
  'Find me a table for two at an Italian restaurant near the station, around seven in the evening.',
  'What will the weather be like in Boston tomorrow morning?',
  'Play some quiet piano music in the living room and turn the lights down.',
  'I watched the game last night and could not believe that they lost in the last minute.',
  'Did you know that there are more than a thousand islands in this lake?',
  'The battery lasts two days, but the screen is too dark to read in the sun.',
  'These headphones are comfortable and sound great; the cable is a little short.',
  'Our government must answer to the people, and the people must be told the truth.',
  'We have met difficult years together, and we will meet this one with the same courage.',
  'Please remind me to call the dentist on Monday at half past nine.',
  'How many grams of sugar are in a glass of orange juice?',
];
