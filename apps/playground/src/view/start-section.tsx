import type { PageState } from '../state/page-state';
import type { Playground } from '../state/playground';
import { isUnderWay } from '../state/run-state';
import { stepsOf } from '../worker/fine-tune-options';
import type { DeviceFound } from '../worker/protocol';
import { ProblemNote } from './problem-note';
import { whole } from './format';

/** What the page is, what it has found, what will happen, and the button. */
export function StartSection({ playground, state }: { playground: Playground; state: PageState }) {
  const { device, deviceProblem, run } = state;
  const busy = isUnderWay(run);
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
      <button
        type="button"
        class="primary"
        disabled={device === undefined || state.data.view === undefined || busy}
        onClick={() => void playground.start()}
      >
        {busy ? 'Training …' : run === undefined ? 'Start training' : 'Train again'}
      </button>
    </section>
  );
}

/** What the run will compute on. */
function foundWords({ backend, adapter, threads }: DeviceFound): string {
  if (backend === 'webgpu') return `Found a GPU: ${adapter}.`;
  return `No GPU to use here: ${threads === 1 ? 'one processor thread' : `${threads} processor threads`} will compute.`;
}

/** What will happen on a click. */
function planWords({ data: { view }, settings }: PageState): string {
  if (view === undefined) return 'Reading the rows …';
  const steps = stepsOf(settings, view.rows.train);
  return (
    `${whole(view.rows.train)} texts with ${view.labels.length} labels, ${whole(steps)} steps of ${settings.batchSize} texts. ` +
    'The model is loaded once, 10.7 MB.'
  );
}
