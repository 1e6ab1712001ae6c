import { LayerNorm, type LinearLayer } from '@qlora-js/kernels';
import type { Gpt2Config } from '../config/config';
import { GPT2Model } from '../model/backbone';
import type { BlockLayers } from '../model/block';
import type { WeightSource } from './source';
import { WeightLoader, type LinearShape, type WeightLoaderOptions } from './weight-loader';

/** Weights of a block and its norms and biases, by the names they are read under. */
const WEIGHTS_PER_BLOCK = 12;
/** wte, wpe, ln_f.weight, ln_f.bias */
const WEIGHTS_BESIDE_BLOCKS = 4;

/** Reads a GPT-2's weights. */
export class LayerLoader extends WeightLoader<GPT2Model> {
  constructor(
    private readonly config: Gpt2Config,
    source: WeightSource,
    options: WeightLoaderOptions,
  ) {
    super(source, options, WEIGHTS_BESIDE_BLOCKS + config.nLayer * WEIGHTS_PER_BLOCK);
  }

  async backbone(): Promise<GPT2Model> {
    const { vocabSize, nPositions, nEmbd, nLayer } = this.config;
    const wte = await this.tokenTable('wte.weight', [vocabSize, nEmbd]);
    const wpe = await this.table('wpe.weight', [nPositions, nEmbd]);
    const blocks: BlockLayers[] = [];
    for (let layer = 0; layer < nLayer; layer++) blocks.push(await this.block(`h.${layer}`));
    return new GPT2Model(this.config, { wte, wpe, blocks, lnF: await this.layerNorm('ln_f') });
  }

  private async block(prefix: string): Promise<BlockLayers> {
    const { nEmbd, nInner } = this.config;
    const conv1d = (name: string, inFeatures: number, outFeatures: number) =>
      this.conv1d(`${prefix}.${name}`, { inFeatures, outFeatures });
    return {
      ln1: await this.layerNorm(`${prefix}.ln_1`),
      cAttn: await conv1d('attn.c_attn', nEmbd, 3 * nEmbd),
      attnProjection: await conv1d('attn.c_proj', nEmbd, nEmbd),
      ln2: await this.layerNorm(`${prefix}.ln_2`),
      cFc: await conv1d('mlp.c_fc', nEmbd, nInner),
      mlpProjection: await conv1d('mlp.c_proj', nInner, nEmbd),
    };
  }

  private async layerNorm(name: string): Promise<LayerNorm> {
    const { nEmbd, layerNormEpsilon } = this.config;
    const weight = await this.vector(`${name}.weight`, nEmbd);
    return new LayerNorm(weight, await this.vector(`${name}.bias`, nEmbd), layerNormEpsilon);
  }

  /** GPT-2's Conv1D stores [in, out]. */
  private async conv1d(name: string, shape: LinearShape): Promise<LinearLayer> {
    const { inFeatures, outFeatures } = shape;
    const bias = await this.vector(`${name}.bias`, outFeatures);
    const layer = await this.linear(name, shape, bias, (weightName, scratch) =>
      this.source.denseTransposed(weightName, [inFeatures, outFeatures], scratch),
    );
    layer.storedLayout = 'in-out';
    return layer;
  }
}
