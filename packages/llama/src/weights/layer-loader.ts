import { WeightLoader, type WeightLoaderOptions, type WeightSource } from '@qlora-js/gpt2';
import { type LinearLayer, RMSNorm } from '@qlora-js/kernels';
import type { LlamaConfig } from '../config/config';
import { LlamaModel } from '../model/backbone';
import type { BlockLayers } from '../model/block';

/** embed_tokens and norm. */
const WEIGHTS_BESIDE_BLOCKS = 2;

/** Weights of a block and its norms and biases, by the names they are read under. */
function weightsPerBlock({ queryBias, outputBias, mlpBias, headNorms }: LlamaConfig): number {
  return 9 + (queryBias ? 3 : 0) + (outputBias ? 1 : 0) + (mlpBias ? 3 : 0) + (headNorms ? 2 : 0);
}

/** Reads the weights of Llama and its kin. */
export class LayerLoader extends WeightLoader<LlamaModel> {
  constructor(
    private readonly config: LlamaConfig,
    source: WeightSource,
    options: WeightLoaderOptions,
  ) {
    super(source, options, WEIGHTS_BESIDE_BLOCKS + config.numHiddenLayers * weightsPerBlock(config));
  }

  async backbone(): Promise<LlamaModel> {
    const { vocabSize, hiddenSize, numHiddenLayers } = this.config;
    const embedTokens = await this.tokenTable('embed_tokens.weight', [vocabSize, hiddenSize]);
    const blocks: BlockLayers[] = [];
    for (let layer = 0; layer < numHiddenLayers; layer++) blocks.push(await this.block(`layers.${layer}`));
    return new LlamaModel(this.config, { embedTokens, blocks, norm: await this.norm('norm', hiddenSize) });
  }

  private async block(prefix: string): Promise<BlockLayers> {
    const { hiddenSize, intermediateSize, headDim, headNorms } = this.config;
    const { queryBias, outputBias, mlpBias } = this.config;
    const width = this.config.numAttentionHeads * headDim;
    const shared = this.config.numKeyValueHeads * headDim;
    const attention = (name: string, inFeatures: number, outFeatures: number, biased: boolean) =>
      this.projection(`${prefix}.self_attn.${name}`, inFeatures, outFeatures, biased);
    const mlp = (name: string, inFeatures: number, outFeatures: number) =>
      this.projection(`${prefix}.mlp.${name}`, inFeatures, outFeatures, mlpBias);
    return {
      inputNorm: await this.norm(`${prefix}.input_layernorm`, hiddenSize),
      q: await attention('q_proj', hiddenSize, width, queryBias),
      k: await attention('k_proj', hiddenSize, shared, queryBias),
      v: await attention('v_proj', hiddenSize, shared, queryBias),
      o: await attention('o_proj', width, hiddenSize, outputBias),
      ...(headNorms
        ? {
            headNorms: {
              q: await this.norm(`${prefix}.self_attn.q_norm`, headDim),
              k: await this.norm(`${prefix}.self_attn.k_norm`, headDim),
            },
          }
        : {}),
      postAttentionNorm: await this.norm(`${prefix}.post_attention_layernorm`, hiddenSize),
      gate: await mlp('gate_proj', hiddenSize, intermediateSize),
      up: await mlp('up_proj', hiddenSize, intermediateSize),
      down: await mlp('down_proj', intermediateSize, hiddenSize),
    };
  }

  private async norm(name: string, size: number): Promise<RMSNorm> {
    return new RMSNorm(await this.vector(`${name}.weight`, size), this.config.rmsNormEps);
  }

  private async projection(
    name: string,
    inFeatures: number,
    outFeatures: number,
    biased: boolean,
  ): Promise<LinearLayer> {
    const bias = biased ? await this.vector(`${name}.bias`, outFeatures) : undefined;
    return this.linear(name, { inFeatures, outFeatures }, bias, (weightName, scratch) =>
      this.source.dense(weightName, [outFeatures, inFeatures], scratch),
    );
  }
}
