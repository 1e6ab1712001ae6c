const PREFIX = 'transformer.';

/** Causal masks that old files carry. */
const MASK = /^h\.\d+\.attn\.(bias|masked_bias)$/;
const BACKBONE = /^(wte|wpe|ln_f|h)\./;
/** Heads by the name they are loaded under; microsoft's DialoGPT of 2020 says lm_head.decoder. */
const HEADS: ReadonlyMap<string, string> = new Map([
  ['score.weight', 'score.weight'],
  ['lm_head.weight', 'lm_head.weight'],
  ['lm_head.decoder.weight', 'lm_head.weight'],
]);

/**
 * The stored name of each weight by its name under `transformer.`: files come with the prefix and without. Causal
 * masks are left out, and a head that nobody asks for (the language model's beside a classifier) is simply not read.
 */
export function storedNames(names: Iterable<string>): { byName: Map<string, string>; other: string[] } {
  const byName = new Map<string, string>();
  const other: string[] = [];
  for (const stored of names) {
    const name = stored.startsWith(PREFIX) ? stored.slice(PREFIX.length) : stored;
    const head = HEADS.get(stored);
    if (MASK.test(name)) continue;
    if (head !== undefined) byName.set(head, stored);
    else if (BACKBONE.test(name)) byName.set(name, stored);
    else other.push(stored);
  }
  return { byName, other };
}

/** Suffixes under which bitsandbytes stores the parts of a 4-bit weight, after the weight's own name. */
export function isQuantPart(name: string): boolean {
  return /\.weight\.(absmax|nested_absmax|quant_map|nested_quant_map|quant_state\.bitsandbytes__\w+)$/.test(name);
}
