import { type RunEvent, type RunStatus } from '@qlora-js/tracking';

/** What one run has come to, as its lines say. */
export interface RunView {
  readonly name: string;
  readonly step: number;
  /** Undefined where the config does not say. */
  readonly maxSteps: number | undefined;
  /** Latest value of each metric. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly status: RunStatus | 'running';
}

/** A run before its first line. */
export const NO_RUN: RunView = { name: '', step: 0, maxSteps: undefined, metrics: {}, status: 'running' };

/** The view after further events. */
export function viewAfter(view: RunView, events: readonly RunEvent[]): RunView {
  let { name, step, maxSteps, metrics, status } = view;
  for (const event of events) {
    if (event.event === 'start') {
      const steps = event.config['max_steps'];
      name = event.name;
      maxSteps = typeof steps === 'number' && steps > 0 ? steps : undefined;
      status = 'running';
    } else if (event.event === 'log') {
      step = Math.max(step, event.step);
      metrics = { ...metrics, ...event.metrics };
    } else if (event.event === 'finish') {
      ({ status } = event);
    }
  }
  return { name, step, maxSteps, metrics, status };
}

/** The metrics of a row as one line, step first. */
export function rowLine(name: string, step: number, metrics: Readonly<Record<string, number>>): string {
  return [name, `step ${step}`, ...Object.entries(metrics).map(([key, value]) => `${key} ${shown(value)}`)].join('  ');
}

/** What a status line says of a run: loss, rate, memory, the last evaluation. */
export function runNotes({ metrics }: RunView): string[] {
  const named: [key: string, text: (value: number) => string][] = [
    ['loss', (value) => `loss ${shown(value)}`],
    ['eval_f1', (value) => `eval_f1 ${shown(value)}`],
    ['real_tokens_per_sec', (value) => `${Math.round(value)} tokens/s`],
    ['gpu_max_mem_allocated_GiB', (value) => `${value.toFixed(2)} GiB`],
    ['learning_rate', (value) => `lr ${shown(value)}`],
  ];
  return named.flatMap(([key, text]) => (metrics[key] === undefined ? [] : [text(metrics[key])]));
}

/** Runs of a search in a line: how many run, ended, were pruned, failed, and the best so far. */
export function searchLine(views: readonly RunView[], objective = 'eval_f1'): string {
  const count = (status: RunView['status']): number => views.filter((view) => view.status === status).length;
  const scored = views.filter(({ metrics }) => Number.isFinite(metrics[objective]));
  const best = scored.reduce<RunView | undefined>(
    (a, b) => (a === undefined || b.metrics[objective]! > a.metrics[objective]! ? b : a),
    undefined,
  );
  const stopped = count('interrupted');
  const counts = `${count('running')} running, ${count('finished')} finished, ${count('pruned')} pruned, ${count('failed')} failed${stopped === 0 ? '' : `, ${stopped} interrupted`}`;
  return best === undefined ? counts : `${counts}; best ${objective} ${shown(best.metrics[objective]!)} (${best.name})`;
}

function shown(value: number): string {
  if (Number.isInteger(value) || !Number.isFinite(value)) return String(value);
  return Math.abs(value) < 1e-3 ? value.toExponential(2) : value.toFixed(4);
}
