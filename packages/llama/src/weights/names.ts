import { QUANT_PART, type StoredNames, type WeightScheme } from '@qlora-js/gpt2';
import { llamaError } from '../errors';

const PREFIX = 'model.';
const BACKBONE = /^(embed_tokens|layers|norm)\./;
const HEADS = new Set(['score.weight', 'lm_head.weight']);
/** Frequencies that old files carry; they are made of the config. */
const FREQUENCIES = /(^|\.)rotary_emb\.inv_freq$/;

const WEIGHT =
  /^(?:embed_tokens\.weight|norm\.weight|layers\.(\d+)\.(?:(?:input|post_attention)_layernorm\.weight|self_attn\.[qk]_norm\.weight|(?:self_attn\.[qkvo]_proj|mlp\.(?:gate|up|down)_proj)\.(?:weight|bias)))$/;

/** Sorts a checkpoint's tensors; files come with the prefix `model.` and without. */
function storedNames(names: Iterable<string>): StoredNames {
  const byName = new Map<string, string>();
  const [heads, masks, other]: string[][] = [[], [], []];
  const twice: [string, string][] = [];
  for (const stored of names) {
    const name = stored.startsWith(PREFIX) ? stored.slice(PREFIX.length) : stored;
    if (FREQUENCIES.test(name)) {
      masks!.push(stored);
      continue;
    }
    if (HEADS.has(stored)) heads!.push(stored);
    else if (!BACKBONE.test(name)) {
      other!.push(stored);
      continue;
    }
    const first = byName.get(name);
    if (first === undefined) byName.set(name, stored);
    else twice.push([first, stored]);
  }
  return { byName, heads: heads!, masks: masks!, twice, other: other! };
}

function hasPlace(name: string, layers: number): boolean {
  const match = WEIGHT.exec(name.replace(QUANT_PART, ''));
  return match !== null && Number(match[1] ?? 0) < layers;
}

export const LLAMA_WEIGHTS: WeightScheme = {
  family: 'Llama',
  prefix: PREFIX,
  layersKey: 'num_hidden_layers',
  storedNames,
  hasPlace,
  error: llamaError,
};
