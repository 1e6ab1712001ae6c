import { gpt2Error } from '../errors';
import type { StoredNames, WeightScheme } from './scheme';

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

/** Sorts a checkpoint's tensors; files come with the prefix `transformer.` and without. */
function storedNames(names: Iterable<string>): StoredNames {
  const byName = new Map<string, string>();
  const [heads, masks, other]: string[][] = [[], [], []];
  const twice: [string, string][] = [];
  for (const stored of names) {
    const name = stored.startsWith(PREFIX) ? stored.slice(PREFIX.length) : stored;
    const head = HEADS.get(stored);
    if (MASK.test(name)) {
      masks!.push(stored);
      continue;
    }
    if (head !== undefined) heads!.push(stored);
    else if (!BACKBONE.test(name)) {
      other!.push(stored);
      continue;
    }
    const key = head ?? name;
    const first = byName.get(key);
    if (first === undefined) byName.set(key, stored);
    else twice.push([first, stored]);
  }
  return { byName, heads: heads!, masks: masks!, twice, other: other! };
}

/** Suffixes under which bitsandbytes stores the parts of a 4-bit weight, after the weight's own name. */
export const QUANT_PART =
  /(?<=\.weight)\.(absmax|nested_absmax|quant_map|nested_quant_map|quant_state\.bitsandbytes__\w+)$/;

/** Whether a name is that of a part of a 4-bit weight. */
export function isQuantPart(name: string): boolean {
  return QUANT_PART.test(name);
}

const WEIGHT =
  /^(?:w[tp]e\.weight|ln_f\.(?:weight|bias)|h\.(\d+)\.(?:ln_[12]|attn\.c_(?:attn|proj)|mlp\.c_(?:fc|proj))\.(?:weight|bias))$/;

/** Whether a backbone of so many layers has a weight of that name, or one that it is a part of. */
function hasPlace(name: string, nLayer: number): boolean {
  const match = WEIGHT.exec(name.replace(QUANT_PART, ''));
  return match !== null && Number(match[1] ?? 0) < nLayer;
}

export const GPT2_WEIGHTS: WeightScheme = {
  family: 'GPT-2',
  prefix: PREFIX,
  layersKey: 'n_layer',
  storedNames,
  hasPlace,
  error: gpt2Error,
};
