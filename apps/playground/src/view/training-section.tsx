import { LineChart, type LineSeries } from '../charts/line-chart';
import type { PageState } from '../state/page-state';
import type { Playground } from '../state/playground';
import { isUnderWay, pointsOf, type RunState } from '../state/run-state';
import type { Slot } from '../worker/protocol';
import { bytes, duration, figure, percent, whole } from './format';
import { ProblemNote } from './problem-note';

/** The trainings as they go. */
export function TrainingSection({ playground, runs }: { playground: Playground; runs: PageState['runs'] }) {
  const there = (['a', 'b'] as const).flatMap((slot) => {
    const run = runs[slot];
    return run === undefined ? [] : [{ slot, run }];
  });
  const xMax = Math.max(...there.map(({ run }) => run.maxSteps), 1);
  const both = there.length > 1;
  const series = (key: string, name: string, dots = false): LineSeries[] =>
    there.map(({ slot, run }) => ({
      name: both ? `${slot.toUpperCase()}: ${difference(run, runs[slot === 'a' ? 'b' : 'a']!)}` : name,
      tone: slot === 'a' ? 'first' : 'second',
      dots,
      points: pointsOf(run.rows, key),
    }));
  return (
    <section class="card" aria-labelledby="training-title">
      <h2 id="training-title">Training</h2>
      {there.length === 0 && (
        <p class="muted">Nothing has been trained yet. The charts are drawn from the first step on.</p>
      )}
      <div class="beside">
        {there.map(({ slot, run }) => (
          <RunPart key={slot} playground={playground} slot={slot} run={run} named={both} />
        ))}
      </div>
      {there.length > 0 && (
        <div class="charts">
          <LineChart title="Loss" xMax={xMax} series={series('loss', 'loss')} />
          <LineChart
            title="Validation accuracy"
            xMax={xMax}
            domain={[0, 1]}
            format={(value) => percent(value, 0)}
            series={series('eval_accuracy', 'accuracy', true)}
          />
        </div>
      )}
    </section>
  );
}

/** What tells a run from the other one, in a few words. */
function difference({ spec: { settings, base } }: RunState, { spec: other }: RunState): string {
  const names: readonly [keyof typeof settings, string][] = [
    ['learningRate', 'learning rate'],
    ['rank', 'rank'],
    ['quantization', ''],
    ['numTrainEpochs', 'epochs'],
    ['batchSize', 'texts a step'],
    ['maxLength', 'tokens'],
    ['seed', 'seed'],
  ];
  const changed = names.flatMap(([key, name]) =>
    settings[key] === other.settings[key] ? [] : [`${name} ${settings[key]}`.trim()],
  );
  if (base.kind !== other.base.kind) changed.push(base.kind === 'embedded' ? 'the embedded base' : base.id);
  return changed.length === 0 ? 'the same settings' : changed.join(', ');
}

interface RunPartProps {
  readonly playground: Playground;
  readonly slot: Slot;
  readonly run: RunState;
  /** Whether there is another one beside it. */
  readonly named: boolean;
}

function RunPart({ playground, slot, run, named }: RunPartProps) {
  const name = named ? ` of run ${slot.toUpperCase()}` : '';
  return (
    <div class="run">
      {named && <h3>Run {slot.toUpperCase()}</h3>}
      <p class="stage" data-testid={`stage-${slot}`}>
        {stageWords(run)}
      </p>
      <progress max={1} value={shareDone(run)} aria-label={`Progress of the training${name}`} />
      {run.savedStep !== undefined && isUnderWay(run) && (
        <p class="hint">Kept in this browser up to step {whole(run.savedStep)}: the page can be closed.</p>
      )}
      {isUnderWay(run) && <Controls playground={playground} slot={slot} run={run} name={name} />}
      {slot === 'b' && !isUnderWay(run) && (
        <button type="button" class="small" onClick={() => void playground.removeSecond()}>
          Take run B away
        </button>
      )}
      {run.problem !== undefined && <ProblemNote problem={run.problem} />}
      <Figures run={run} />
      {run.lines.length > 0 && (
        <details>
          <summary>What the run says{name}</summary>
          <pre class="lines" tabIndex={0} role="region" aria-label={`What the run says${name}`}>
            {run.lines.map(({ text, warning }) => (warning ? `! ${text}` : text)).join('\n')}
          </pre>
        </details>
      )}
    </div>
  );
}

function Controls({ playground, slot, run, name }: Omit<RunPartProps, 'named'> & { readonly name: string }) {
  const training = run.stage === 'training';
  return (
    <div class="buttons">
      <button
        type="button"
        disabled={!training}
        aria-label={`${run.paused ? 'Go on' : 'Pause'}${name}`}
        onClick={() => void playground.pause(slot, !run.paused)}
      >
        {run.paused ? 'Go on' : 'Pause'}
      </button>
      <button
        type="button"
        disabled={!training}
        aria-label={`Stop here${name}`}
        onClick={() => void playground.stop(slot)}
      >
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
