import type { PageState } from '../state/page-state';
import type { Playground } from '../state/playground';
import { isUnderWay } from '../state/run-state';
import { stepsOf } from '../worker/fine-tune-options';
import type { DeviceFound, SavedRun } from '../worker/protocol';
import { whole } from './format';
import { ProblemNote } from './problem-note';

/** What the page is, what it has found, what will happen, and the button. */
export function StartSection({ playground, state }: { playground: Playground; state: PageState }) {
  const { device, deviceProblem, runs, saved } = state;
  const ready = device !== undefined && state.data.view !== undefined;
  const busy = isUnderWay(runs.a);
  return (
    <section class="start" aria-labelledby="start-title">
      <h1 id="start-title">Teach a language model your labels, in this page</h1>
      <p class="lead">
        A small model is frozen in 4 bits, and an adapter on it learns from your texts. All of it runs on your machine;
        what you drop or type here never leaves it.
      </p>
      <p class="found" data-testid="found">
        {device === undefined ? 'Looking for a GPU …' : foundWords(device)}
      </p>
      <p class="plan" data-testid="plan">
        {planWords(state)}
      </p>
      {deviceProblem !== undefined && <ProblemNote problem={deviceProblem} />}
      {saved !== undefined && !busy && <Saved playground={playground} saved={saved} />}
      <div class="buttons">
        <button type="button" class="primary" disabled={!ready || busy} onClick={() => void playground.start()}>
          {busy ? 'Training …' : runs.a === undefined ? 'Start training' : 'Train again'}
        </button>
        {runs.a !== undefined && (
          <button
            type="button"
            disabled={!ready || isUnderWay(runs.b)}
            aria-describedby="second-hint"
            onClick={() => void playground.start('b')}
          >
            Train a second run beside it
          </button>
        )}
      </div>
      {runs.a !== undefined && (
        <p class="hint" id="second-hint">
          Change a setting first: the second run has the same rows, and both are drawn together.
        </p>
      )}
    </section>
  );
}

/** A run that can be gone on with. */
function Saved({ playground, saved }: { playground: Playground; saved: SavedRun }) {
  return (
    <div class="saved" data-testid="saved">
      <p>
        A run in this browser was left after step {whole(saved.step)}. It goes on from there and ends as if it had never
        been stopped.
      </p>
      <div class="buttons">
        <button type="button" onClick={() => void playground.resume()}>
          Go on with it
        </button>
        <button type="button" onClick={() => void playground.forget()}>
          Forget it
        </button>
      </div>
    </div>
  );
}

/** What the run will compute on. */
function foundWords({ backend, adapter, threads }: DeviceFound): string {
  if (backend === 'webgpu') return `Found a GPU: ${adapter}.`;
  return `No GPU to use here: ${threads === 1 ? 'one processor thread' : `${threads} processor threads`} will compute.`;
}

/** What will happen on a click. */
function planWords({ data: { view, problem }, settings, base }: PageState): string {
  if (view === undefined) return problem === undefined ? 'Reading the rows …' : 'There are no rows to train with yet.';
  const steps = stepsOf(settings, view.rows.train);
  const model = base.kind === 'embedded' ? 'The model is loaded once, 10.7 MB.' : `The model is ${base.id}.`;
  return `${whole(view.rows.train)} texts with ${view.labels.length} labels, ${whole(steps)} steps of ${settings.batchSize} texts. ${model}`;
}
