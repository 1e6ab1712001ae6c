/** Conv1D layers of a block, in the order they are built: stored [in, out] where they are dense. */
export const BLOCK_LINEARS = ['attn.c_attn', 'attn.c_proj', 'mlp.c_fc', 'mlp.c_proj'] as const;

const PREFIX = 'transformer.';

/**
 * The stored name of each weight by its name under `transformer.`: files come with the prefix and without, and old
 * ones with causal masks and a copy of the embedding as language-model head, which are left out.
 */
export function storedNames(names: Iterable<string>): {
  byName: Map<string, string>;
  ignored: string[];
  other: string[];
} {
  const byName = new Map<string, string>();
  const ignored: string[] = [];
  const other: string[] = [];
  for (const stored of names) {
    const name = stored.startsWith(PREFIX) ? stored.slice(PREFIX.length) : stored;
    if (/^h\.\d+\.attn\.(bias|masked_bias)$/.test(name) || /^lm_head\.(decoder\.)?weight$/.test(name))
      ignored.push(stored);
    else if (/^(wte|wpe|ln_f|h)\./.test(name) || name === 'score.weight') byName.set(name, stored);
    else other.push(stored);
  }
  return { byName, ignored, other };
}

/** Suffixes under which bitsandbytes stores the parts of a 4-bit weight, after the weight's own name. */
export function isQuantPart(name: string): boolean {
  return /\.weight\.(absmax|nested_absmax|quant_map|nested_quant_map|quant_state\.bitsandbytes__\w+)$/.test(name);
}
