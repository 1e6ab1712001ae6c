import type { PageState } from '../state/page-state';
import type { Playground } from '../state/playground';
import type { RunState } from '../state/run-state';
import { percent } from './format';

/** A text of the visitor's, whose labels move as the model learns. */
export function TrySection({ playground, state }: { playground: Playground; state: PageState }) {
  const { text, run } = state;
  return (
    <section class="card" aria-labelledby="try-title">
      <h2 id="try-title">Try it</h2>
      <div class="field wide">
        <label for="try-text">A text of yours</label>
        <textarea
          id="try-text"
          rows={2}
          value={text}
          placeholder="Where is my new card?"
          aria-describedby="try-hint"
          onInput={({ currentTarget }) => void playground.watch(currentTarget.value)}
        />
        <span class="hint" id="try-hint">
          {hintWords(run)}
        </span>
      </div>
      {run?.labels !== undefined && text.trim() !== '' && (
        <>
          <p class="muted" data-testid="labelled-at">
            After step {run.labels.step}
          </p>
          <ol class="bars" data-testid="labels">
            {run.labels.labels.map(({ label, probability }) => (
              <li key={label}>
                <span class="bar-name">{label}</span>
                <span class="bar-value">{percent(probability)}</span>
                <meter
                  class="bar"
                  min={0}
                  max={1}
                  value={probability}
                  aria-label={`${label}: ${percent(probability)}`}
                />
              </li>
            ))}
          </ol>
        </>
      )}
    </section>
  );
}

function hintWords(run: RunState | undefined): string {
  if (run === undefined) return 'Its labels are shown as soon as there is a model.';
  return run.stage === 'done' ? 'Labelled by the adapter that was trained.' : 'Labelled anew as the training goes on.';
}
