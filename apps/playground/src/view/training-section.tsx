import { LineChart } from '../charts/line-chart';
import type { Playground } from '../state/playground';
import { isUnderWay, pointsOf, type RunState } from '../state/run-state';
import { bytes, duration, figure, percent, whole } from './format';
import { ProblemNote } from './problem-note';

/** A training as it goes. */
export function TrainingSection({ playground, run }: { playground: Playground; run: RunState | undefined }) {
  if (run === undefined) {
    return (
      <section class="card" aria-labelledby="training-title">
        <h2 id="training-title">Training</h2>
        <p class="muted">Nothing has been trained yet. The charts are drawn from the first step on.</p>
      </section>
    );
  }
  return (
    <section class="card" aria-labelledby="training-title">
      <h2 id="training-title">Training</h2>
      <p class="stage" data-testid="stage">
        {stageWords(run)}
      </p>
      <progress max={1} value={shareDone(run)} aria-label="Progress of the training" />
      {isUnderWay(run) && <Controls playground={playground} run={run} />}
      {run.problem !== undefined && <ProblemNote problem={run.problem} />}
      <Figures run={run} />
      <div class="charts">
        <LineChart
          title="Loss"
          xMax={run.maxSteps}
          series={[{ name: 'loss', tone: 'first', points: pointsOf(run.rows, 'loss') }]}
        />
        <LineChart
          title="Validation accuracy"
          xMax={run.maxSteps}
          domain={[0, 1]}
          format={(value) => percent(value, 0)}
          series={[{ name: 'accuracy', tone: 'first', dots: true, points: pointsOf(run.rows, 'eval_accuracy') }]}
        />
      </div>
      {run.lines.length > 0 && (
        <details>
          <summary>What the run says</summary>
          <pre class="lines" tabIndex={0}>
            {run.lines.map(({ text, warning }) => (warning ? `! ${text}` : text)).join('\n')}
          </pre>
        </details>
      )}
    </section>
  );
}

function Controls({ playground, run }: { playground: Playground; run: RunState }) {
  const training = run.stage === 'training';
  return (
    <div class="buttons">
      <button type="button" disabled={!training} onClick={() => void playground.pause(!run.paused)}>
        {run.paused ? 'Go on' : 'Pause'}
      </button>
      <button type="button" disabled={!training} onClick={() => void playground.stop()}>
        Stop here
      </button>
    </div>
  );
}

/** Where the run stands, in a line. */
function stageWords({ stage, paused, progress, step, maxSteps, evaluating, result }: RunState): string {
  if (stage === 'failed') return 'The run has failed.';
  if (stage === 'preparing') {
    return progress === undefined ? 'Preparing …' : `Preparing: ${progress.label}, ${percent(progress.done, 0)}`;
  }
  if (stage === 'testing') return 'Testing …';
  if (stage === 'done') {
    const { accuracy, testRows } = result!;
    return accuracy === undefined
      ? `Done after ${whole(step)} steps.`
      : `Done after ${whole(step)} steps: ${percent(accuracy)} of ${whole(testRows)} test texts get the right label.`;
  }
  if (paused) return `Paused after step ${whole(step)} of ${whole(maxSteps)}.`;
  if (evaluating !== undefined) return `Step ${whole(step)} of ${whole(maxSteps)}: measuring the accuracy …`;
  return `Step ${whole(step)} of ${whole(maxSteps)}`;
}

function shareDone({ stage, step, maxSteps, progress }: RunState): number {
  if (stage === 'preparing') return progress?.done ?? 0;
  return maxSteps === 0 ? 0 : step / maxSteps;
}

function Figures({ run }: { run: RunState }) {
  const { figures, rows, result } = run;
  const last = (key: string): number | undefined => rows.findLast((row) => row[key] !== undefined)?.[key];
  const accuracy = last('eval_accuracy');
  const loss = last('loss');
  const norm = last('grad_norm');
  const list: [string, string][] = [
    ['Loss', loss === undefined ? '–' : figure(loss)],
    ['Accuracy', accuracy === undefined ? '–' : percent(accuracy)],
    ['Gradient norm', norm === undefined ? '–' : figure(norm)],
    ['Tokens a second', figures === undefined ? '–' : whole(figures.tokensPerSecond)],
    ['Memory', figures === undefined ? '–' : bytes(figures.memoryBytes)],
    ['Time left', figures === undefined || !isUnderWay(run) ? '–' : duration(figures.secondsLeft)],
  ];
  if (result?.bagOfWords !== undefined && result.majority !== undefined) {
    list.push(['Counting words gets', percent(result.bagOfWords)], ['Always one label gets', percent(result.majority)]);
  }
  return (
    <dl class="figures">
      {list.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
