import type { LogRow } from '@qlora-js/trainer';
import type { Problem, RunEvent, RunResult, RunSpec, Stage, StepFigures, TextLabels } from '../worker/protocol';

/** What the page shows of one run. */
export interface RunState {
  readonly spec: RunSpec;
  readonly stage: Stage | 'done' | 'failed';
  readonly paused: boolean;
  /** What takes a while, before the first step. */
  readonly progress: { readonly label: string; readonly done: number } | undefined;
  readonly step: number;
  readonly maxSteps: number;
  readonly figures: StepFigures | undefined;
  /** Step of the newest checkpoint. */
  readonly savedStep: number | undefined;
  readonly evaluating: { readonly done: number; readonly total: number } | undefined;
  readonly rows: readonly LogRow[];
  readonly lines: readonly { readonly text: string; readonly warning: boolean }[];
  readonly labels: TextLabels | undefined;
  readonly result: RunResult | undefined;
  readonly problem: Problem | undefined;
}

/** A run that has just been asked for. */
export function newRun(spec: RunSpec): RunState {
  return {
    spec,
    stage: 'preparing',
    paused: false,
    progress: undefined,
    step: 0,
    maxSteps: 0,
    figures: undefined,
    savedStep: undefined,
    evaluating: undefined,
    rows: [],
    lines: [],
    labels: undefined,
    result: undefined,
    problem: undefined,
  };
}

/** The run after something that its worker has told. */
export function afterEvent(run: RunState, event: RunEvent): RunState {
  switch (event.kind) {
    case 'stage':
      return { ...run, stage: event.stage, progress: undefined, evaluating: undefined };
    case 'progress':
      return { ...run, progress: { label: event.label, done: event.done } };
    case 'line':
      return { ...run, lines: [...run.lines, { text: event.text, warning: event.warning }] };
    case 'begun':
      return { ...run, step: event.step, maxSteps: event.maxSteps, rows: event.rows };
    case 'step': {
      const { kind: _, ...figures } = event;
      return { ...run, step: event.step, maxSteps: event.maxSteps, figures, evaluating: undefined };
    }
    case 'row':
      return { ...run, rows: [...run.rows, event.row], evaluating: undefined };
    case 'evaluating':
      return { ...run, evaluating: { done: event.done, total: event.total } };
    case 'paused':
      return { ...run, paused: event.paused };
    case 'baseComing':
      return run;
    case 'saved':
      return { ...run, savedStep: event.step };
    case 'labels':
      return { ...run, labels: event.labels };
  }
}

/** Whether a run's worker is at it. */
export function isUnderWay(run: RunState | undefined): boolean {
  return run !== undefined && run.stage !== 'done' && run.stage !== 'failed';
}

/** Points of a figure that the log has, by step. */
export function pointsOf(rows: readonly LogRow[], key: string): { readonly x: number; readonly y: number }[] {
  return rows.flatMap((row) => {
    const { step, [key]: value } = row;
    return step === undefined || value === undefined ? [] : [{ x: step, y: value }];
  });
}
