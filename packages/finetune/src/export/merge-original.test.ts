import { LabelMap } from '@qlora-js/data';
import {
  bufferSource,
  memoryFiles,
  openSafetensors,
  serializeSafetensors,
  toFloat32,
  type ModelFiles,
} from '@qlora-js/hub';
import { openDevice, type Device } from '@qlora-js/kernels';
import { adapterFiles, loraConfig } from '@qlora-js/lora';
import { byteAlphabet } from '@qlora-js/tokenize-gpt2';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openBase } from '../base/base';
import { buildClassifier } from '../model/build';
import { SILENT } from '../run/output';
import { classifierConfig } from '../saving/classifier-config';
import { mergeClassifier } from './merge-classifier';

/** Weights by their stored names, each with its stored shape. */
type Shapes = Readonly<Record<string, readonly number[]>>;

const VOCABULARY = [...byteAlphabet, '<|endoftext|>'];
const [VOCAB, WIDTH, INNER] = [VOCABULARY.length, 64, 128];

const GPT2 = {
  config: {
    model_type: 'gpt2',
    vocab_size: VOCAB,
    n_positions: 16,
    n_embd: WIDTH,
    n_inner: INNER,
    n_layer: 1,
    n_head: 2,
  },
  shapes: {
    'transformer.wte.weight': [VOCAB, WIDTH],
    'transformer.wpe.weight': [16, WIDTH],
    'transformer.h.0.ln_1.weight': [WIDTH],
    'transformer.h.0.ln_1.bias': [WIDTH],
    // Conv1D: [in, out].
    'transformer.h.0.attn.c_attn.weight': [WIDTH, 3 * WIDTH],
    'transformer.h.0.attn.c_attn.bias': [3 * WIDTH],
    'transformer.h.0.attn.c_proj.weight': [WIDTH, WIDTH],
    'transformer.h.0.attn.c_proj.bias': [WIDTH],
    'transformer.h.0.ln_2.weight': [WIDTH],
    'transformer.h.0.ln_2.bias': [WIDTH],
    'transformer.h.0.mlp.c_fc.weight': [WIDTH, INNER],
    'transformer.h.0.mlp.c_fc.bias': [INNER],
    'transformer.h.0.mlp.c_proj.weight': [INNER, WIDTH],
    'transformer.h.0.mlp.c_proj.bias': [WIDTH],
    'transformer.ln_f.weight': [WIDTH],
    'transformer.ln_f.bias': [WIDTH],
  },
  prefix: 'transformer.',
  conv1d: true,
};

const LLAMA = {
  config: {
    model_type: 'llama',
    vocab_size: VOCAB,
    max_position_embeddings: 16,
    hidden_size: WIDTH,
    intermediate_size: INNER,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    num_key_value_heads: 1,
  },
  shapes: {
    'model.embed_tokens.weight': [VOCAB, WIDTH],
    'model.layers.0.input_layernorm.weight': [WIDTH],
    // torch.nn.Linear: [out, in].
    'model.layers.0.self_attn.q_proj.weight': [WIDTH, WIDTH],
    'model.layers.0.self_attn.k_proj.weight': [WIDTH / 2, WIDTH],
    'model.layers.0.self_attn.v_proj.weight': [WIDTH / 2, WIDTH],
    'model.layers.0.self_attn.o_proj.weight': [WIDTH, WIDTH],
    'model.layers.0.post_attention_layernorm.weight': [WIDTH],
    'model.layers.0.mlp.gate_proj.weight': [INNER, WIDTH],
    'model.layers.0.mlp.up_proj.weight': [INNER, WIDTH],
    'model.layers.0.mlp.down_proj.weight': [WIDTH, INNER],
    'model.norm.weight': [WIDTH],
  },
  prefix: 'model.',
  conv1d: false,
};

/** Values that differ from place to place and from weight to weight, some far from any 4-bit level. */
function valuesOf(name: string, size: number): Float32Array {
  const phase = [...name].reduce((sum, character) => sum + character.charCodeAt(0), 0);
  return Float32Array.from({ length: size }, (_, i) => 0.1 * Math.sin(phase + 1.7 * i + (i % 13)));
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);

function baseFiles(config: object, shapes: Shapes, rename = (name: string): string => name): ModelFiles {
  const tensors = Object.entries(shapes).map(([name, shape]) => ({
    name: rename(name),
    dtype: 'F32' as const,
    shape,
    bytes: new Uint8Array(valuesOf(name, sizeOf(shape)).buffer),
  }));
  return memoryFiles('tiny', {
    'config.json': JSON.stringify(config),
    'model.safetensors': serializeSafetensors(tensors, {}),
    'vocab.json': JSON.stringify(Object.fromEntries(VOCABULARY.map((token, id) => [token, id]))),
    'merges.txt': '#version: 0.2\n',
  });
}

const LORA = { r: 4, loraAlpha: 8, loraDropout: 0, initLoraWeights: false, targetModules: 'all-linear' } as const;

/** A folder as a fine-tuning saves it, of an adapter whose B is not zero. */
async function adapterOf(files: ModelFiles, device: Device): Promise<ModelFiles> {
  const base = await openBase(files, { padding: { maxLength: 8, paddingSide: 'right' } });
  const quantization = { quantType: 'nf4', blocksize: 64, doubleQuant: true } as const;
  const model = await buildClassifier(base, { numLabels: 2, seed: 0, quantization, device, output: SILENT });
  model.addAdapter('default', loraConfig({ ...LORA, taskType: 'SEQ_CLS', baseModelNameOrPath: base.id }));
  const task = 'single_label_classification' as const;
  const classifier = { task, maxLength: 8, quantization, seed: 0 };
  const saved = await adapterFiles(model, 'default');
  model.dispose();
  return memoryFiles('adapter', {
    ...saved,
    'config.json': await classifierConfig(base, { ...classifier, labelMap: LabelMap.fromNames(['no', 'yes']) }),
    'run.json': JSON.stringify({ classifier }),
  });
}

let device: Device;
beforeAll(async () => {
  device = await openDevice({ backend: 'cpu' });
});
afterAll(() => device.dispose());

it.each([
  { base: 'a GPT-2', family: GPT2, names: 'prefixed' },
  { base: 'a Llama', family: LLAMA, names: 'prefixed' },
  { base: 'a GPT-2', family: GPT2, names: 'bare' },
  { base: 'a Llama', family: LLAMA, names: 'bare' },
])(
  'adds an adapter to the weights that $base had before quantisation, under $names names',
  async ({ family, names }) => {
    const { config, shapes, prefix, conv1d } = family;
    const rename = (name: string): string => (names === 'bare' ? name.slice(prefix.length) : name);
    const base = baseFiles(config, shapes, rename);
    const adapter = await adapterOf(base, device);
    const { files } = await mergeClassifier({
      adapter,
      base: { id: 'tiny', files: base },
      device,
      dtype: 'float32',
      from: 'original',
    });
    const lora = await openSafetensors(await adapter.open('adapter_model.safetensors'));
    const merged = await openSafetensors(bufferSource(files['model.safetensors'] as Uint8Array));
    const linear = Object.entries(shapes as Shapes).filter(([name]) => /(proj|c_attn|c_fc)\.weight$/.test(name));
    expect(linear.length).toBeGreaterThan(3);
    for (const [name, shape] of linear) {
      const layer = `base_model.model.${name.slice(0, -'.weight'.length)}`;
      const [a, b] = [await lora.read(`${layer}.lora_A.weight`), await lora.read(`${layer}.lora_B.weight`)];
      const expected = valuesOf(name, sizeOf(shape));
      const [down, up] = [toFloat32(a), toFloat32(b)];
      const [inFeatures, outFeatures] = [a.shape[1]!, b.shape[0]!];
      for (let out = 0; out < outFeatures; out++) {
        for (let into = 0; into < inFeatures; into++) {
          let update = 0;
          for (let r = 0; r < LORA.r; r++) update += up[out * LORA.r + r]! * down[r * inFeatures + into]!;
          expected[conv1d ? into * outFeatures + out : out * inFeatures + into]! += (LORA.loraAlpha / LORA.r) * update;
        }
      }
      const found = await merged.read(name);
      expect([name, found.shape]).toEqual([name, shape]);
      const farthest = toFloat32(found).reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0);
      expect(farthest, name).toBeLessThan(1e-6);
    }
  },
);
