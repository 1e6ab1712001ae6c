/** What tools/base-mini/make.ts measured; packages/base-mini/weights/quantisation.json. */
export interface Figures {
  readonly file: {
    readonly bytes: number;
    readonly sha256: string;
    readonly parameters: number;
    readonly bitsPerParameter: number;
  };
  /** Mean losses a token, in nats, on texts held out from the pretraining. */
  readonly heldOut: {
    readonly texts: number;
    readonly tokens: number;
    readonly float16: number;
    readonly blocksIn4Bit: number;
    readonly blocksAndEmbeddingIn4Bit: number;
  };
  /** The same on tools/base-mini/sentences.ts, for tests. */
  readonly sentences: { readonly tokens: number; readonly float16: number; readonly blocksAndEmbeddingIn4Bit: number };
}

const START = '<!-- figures: written by tools/base-mini/make.ts -->';
const END = '<!-- end of figures -->';

/** The card with the figures between its marks. */
export function withFigures(card: string, figures: Figures): string {
  const start = card.indexOf(START);
  const end = card.indexOf(END);
  if (start < 0 || end < start) throw new Error(`the card lacks the marks ${START} and ${END}`);
  return `${card.slice(0, start + START.length)}\n\n${figureLines(figures).join('\n')}\n\n${card.slice(end)}`;
}

function figureLines({ file, heldOut }: Figures): string[] {
  const row = (name: string, loss: number): string =>
    `| ${name} | ${loss.toFixed(4)} | ${(loss - heldOut.float16).toFixed(4)} | ${Math.exp(loss).toFixed(1)} |`;
  return [
    `${file.parameters.toLocaleString('en')} parameters in ${file.bytes.toLocaleString('en')} bytes (${file.bitsPerParameter.toFixed(2)} bits each).`,
    '',
    `Mean loss a token on the ${heldOut.texts.toLocaleString('en')} texts (${heldOut.tokens.toLocaleString('en')} tokens) of Banking77's test split:`,
    '',
    '| weights | nats a token | more than float16 | perplexity |',
    '| --- | --- | --- | --- |',
    row('float16, as pretrained', heldOut.float16),
    row('blocks in 4 bits', heldOut.blocksIn4Bit),
    row('**blocks and embedding in 4 bits (this file)**', heldOut.blocksAndEmbeddingIn4Bit),
  ];
}
