import type { PageState } from '../state/page-state';
import type { Playground } from '../state/playground';
import type { Quantization } from '../worker/protocol';
import { ChoiceField, NumberField } from './fields';

const QUANTIZATIONS: readonly { readonly value: Quantization; readonly name: string }[] = [
  { value: 'nf4', name: 'NF4, 4 bits' },
  { value: 'fp4', name: 'FP4, 4 bits' },
  { value: 'int4', name: 'INT4, 4 bits' },
  { value: 'none', name: 'none, 32 bits' },
];

/** What a visitor may turn. */
export function SettingsSection({ playground, state }: { playground: Playground; state: PageState }) {
  const { learningRate, numTrainEpochs, batchSize, rank, quantization, seed, maxLength } = state.settings;
  return (
    <section class="card" aria-labelledby="settings-title">
      <h2 id="settings-title">Settings</h2>
      <div class="fields">
        <NumberField
          label="Learning rate"
          value={learningRate}
          min={1e-6}
          max={1}
          step="any"
          hint="How far each step goes"
          onChange={(value) => playground.setSettings({ learningRate: value })}
        />
        <NumberField
          label="Rank"
          value={rank}
          min={1}
          max={256}
          step={1}
          hint="Size of the adapter"
          onChange={(value) => playground.setSettings({ rank: value })}
        />
        <ChoiceField
          label="Quantisation"
          value={quantization}
          choices={QUANTIZATIONS}
          hint="How the frozen weights are kept"
          onChange={(value) => playground.setSettings({ quantization: value })}
        />
        <NumberField
          label="Epochs"
          value={numTrainEpochs}
          min={1}
          max={100}
          step={1}
          hint="Passes over the texts"
          onChange={(value) => playground.setSettings({ numTrainEpochs: value })}
        />
        <NumberField
          label="Texts a step"
          value={batchSize}
          min={1}
          max={256}
          step={1}
          onChange={(value) => playground.setSettings({ batchSize: value })}
        />
        <NumberField
          label="Longest text"
          value={maxLength}
          min={4}
          max={1024}
          step={1}
          hint="Tokens; longer ones are cut"
          onChange={(value) => playground.setSettings({ maxLength: value })}
        />
        <NumberField
          label="Seed"
          value={seed}
          min={0}
          max={4294967295}
          step={1}
          hint="Same seed, same run"
          onChange={(value) => playground.setSettings({ seed: value })}
        />
      </div>
    </section>
  );
}
