import type { PageState } from '../state/page-state';
import type { Playground } from '../state/playground';
import type { TextLabels } from '../worker/protocol';
import { percent } from './format';

/** A text of the visitor's, whose labels move as the model learns. */
export function TrySection({ playground, state }: { playground: Playground; state: PageState }) {
  const { text, runs, loaded, loadedLabels } = state;
  const both = runs.a !== undefined && runs.b !== undefined;
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
          {hintWords(state)}
        </span>
      </div>
      {text.trim() !== '' && (
        <div class="beside">
          {(['a', 'b'] as const).map((slot) => {
            const labels = runs[slot]?.labels;
            const name = both ? `Run ${slot.toUpperCase()}, after` : 'After';
            return labels === undefined ? null : (
              <Labels key={slot} title={`${name} step ${labels.step ?? 0}`} labels={labels} />
            );
          })}
          {loaded?.adapter !== undefined && loadedLabels !== undefined && (
            <Labels title={`By ${loaded.name}`} labels={loadedLabels} />
          )}
        </div>
      )}
    </section>
  );
}

function Labels({ title, labels }: { title: string; labels: TextLabels }) {
  return (
    <div>
      <p class="muted" data-testid="labelled-at">
        {title}
      </p>
      <ol class="bars" data-testid="labels">
        {labels.labels.map(({ label, probability }) => (
          <li key={label}>
            <span class="bar-name">{label}</span>
            <span class="bar-value">{percent(probability)}</span>
            <meter class="bar" min={0} max={1} value={probability} aria-label={`${label}: ${percent(probability)}`} />
          </li>
        ))}
      </ol>
    </div>
  );
}

function hintWords({ runs, loaded }: PageState): string {
  if (loaded?.adapter !== undefined) return 'Labelled by the adapter that was loaded.';
  if (runs.a === undefined) return 'Its labels are shown as soon as there is a model.';
  return runs.a.stage === 'done'
    ? 'Labelled by the adapter that was trained.'
    : 'Labelled anew as the training goes on.';
}
