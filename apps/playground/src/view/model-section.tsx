import { useState } from 'preact/hooks';
import type { PageState } from '../state/page-state';
import type { Playground } from '../state/playground';
import { DropField } from './drop-field';
import { bytes, percent } from './format';
import { ProblemNote } from './problem-note';

/** The frozen model. */
export function ModelSection({ playground, state }: { playground: Playground; state: PageState }) {
  const { base, baseView, baseProblem, baseComing } = state;
  return (
    <section class="card" aria-labelledby="model-title">
      <h2 id="model-title">Model</h2>
      {base.kind === 'embedded' ? (
        <p>A small GPT-2 of 17.7 million parameters, which comes with this page.</p>
      ) : (
        <p data-testid="base">
          {base.id}
          {baseView !== undefined && `: ${baseView.modelType}, ${bytes(baseView.bytes)}`}{' '}
          <button type="button" class="small" onClick={() => void playground.useEmbeddedBase()}>
            Use the small model instead
          </button>
        </p>
      )}
      {baseComing !== undefined && (
        <>
          <p class="stage">
            Fetching {baseComing.id}:{' '}
            {baseComing.total === 0
              ? 'looking at its files …'
              : `${bytes(baseComing.loaded)} of ${bytes(baseComing.total)}, ${percent(baseComing.loaded / baseComing.total, 0)}`}
          </p>
          <progress
            max={1}
            value={baseComing.total === 0 ? 0 : baseComing.loaded / baseComing.total}
            aria-label={`Fetching ${baseComing.id}`}
          />
        </>
      )}
      {baseProblem !== undefined && <ProblemNote problem={baseProblem} />}
      <details>
        <summary>Bring another model</summary>
        <FromHub playground={playground} busy={baseComing !== undefined} />
        <DropField
          label="A model of yours"
          hint="The files of its folder (config.json, safetensors, tokenizer), or one GGUF file. They stay on this machine."
          accept=".json,.txt,.safetensors,.bin,.gguf"
          onFiles={(name, files) => void playground.setBase({ kind: 'files', id: name, files })}
        />
      </details>
    </section>
  );
}

function FromHub({ playground, busy }: { playground: Playground; busy: boolean }) {
  const [repo, setRepo] = useState('');
  return (
    <form
      class="field wide"
      onSubmit={(event) => {
        event.preventDefault();
        void playground.useHubBase(repo.trim(), 'main');
      }}
    >
      <label for="hub-id">From the Hugging Face hub</label>
      <div class="together">
        <input
          id="hub-id"
          value={repo}
          required
          pattern=" *[\w.\-]+/[\w.\-]+ *"
          placeholder="organisation/name"
          aria-describedby="hub-hint"
          onInput={({ currentTarget }) => setRepo(currentTarget.value)}
        />
        <button type="submit" disabled={busy}>
          Fetch
        </button>
      </div>
      <span class="hint" id="hub-hint">
        Fetched once and kept in this browser. Your texts are not sent.
      </span>
    </form>
  );
}
