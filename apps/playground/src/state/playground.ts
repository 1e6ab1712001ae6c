import { RunClient, RunError } from '../run/run-client';
import type { DataSource, Problem, RunEvent, RunSettings } from '../worker/protocol';
import { percent } from '../view/format';
import { FIRST_STATE, type PageState } from './page-state';
import { afterEvent, isUnderWay, newRun, type RunState } from './run-state';

/** The page's state, and all that a visitor can do to it. */
export class Playground {
  private current: PageState = FIRST_STATE;
  private readonly listeners = new Set<() => void>();
  private readonly client = new RunClient((event) => this.onEvent(event));

  get state(): PageState {
    return this.current;
  }

  /** Calls back after each change; returns the way to end that. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** Looks for a GPU and reads the generated rows. */
  async open(): Promise<void> {
    try {
      this.set({ device: await this.client.call('open', { backend: 'auto' }) });
    } catch (error) {
      this.set({ deviceProblem: problemOf(error) });
      return;
    }
    await this.setData(this.state.data.source);
  }

  /** Reads other rows. */
  async setData(source: DataSource): Promise<void> {
    this.set({ data: { source, view: undefined, problem: undefined } });
    const isMeant = (): boolean => this.state.data.source === source;
    try {
      const view = await this.client.call('inspect', source);
      if (isMeant()) this.set({ data: { source, view, problem: undefined } });
    } catch (error) {
      if (isMeant()) this.set({ data: { source, view: undefined, problem: problemOf(error) } });
    }
  }

  setSettings(settings: Partial<RunSettings>): void {
    this.set({ settings: { ...this.state.settings, ...settings } });
  }

  /** Trains on what is chosen. */
  async start(): Promise<void> {
    const { data, base, settings, device } = this.state;
    if (device === undefined || isUnderWay(this.state.run)) return;
    this.set({
      run: newRun({ data: data.source, base, settings, threads: device.threads }),
      announcement: 'The training is being prepared.',
    });
    try {
      const result = await this.client.call('train', this.state.run!.spec);
      this.setRun({ stage: 'done', result });
      const { accuracy } = result;
      this.set({
        announcement:
          accuracy === undefined
            ? 'The training is over.'
            : `The training is over. Test accuracy ${percent(accuracy)}.`,
      });
    } catch (error) {
      this.setRun({ stage: 'failed', problem: problemOf(error) });
    }
  }

  async pause(paused: boolean): Promise<void> {
    await this.client.call('pause', paused);
  }

  async stop(): Promise<void> {
    await this.client.call('stop', null);
  }

  /** Has a text labelled, now and as the model changes. */
  async watch(text: string): Promise<void> {
    this.set({ text });
    await this.client.call('watch', text);
  }

  private onEvent(event: RunEvent): void {
    const { run } = this.state;
    if (run === undefined) return;
    this.set({ run: afterEvent(run, event), ...this.announcementOf(event) });
  }

  private announcementOf(event: RunEvent): Partial<PageState> {
    if (event.kind === 'stage' && event.stage === 'training') return { announcement: 'The training has begun.' };
    if (event.kind === 'paused') return { announcement: event.paused ? 'Paused.' : 'Going on.' };
    const accuracy = event.kind === 'row' ? event.row['eval_accuracy'] : undefined;
    if (event.kind !== 'row' || accuracy === undefined) return {};
    return { announcement: `Step ${event.row['step'] ?? 0}: validation accuracy ${percent(accuracy)}.` };
  }

  private setRun(change: Partial<RunState>): void {
    const { run } = this.state;
    if (run !== undefined) this.set({ run: { ...run, ...change } });
  }

  private set(change: Partial<PageState>): void {
    this.current = { ...this.current, ...change };
    for (const listener of this.listeners) listener();
  }
}

function problemOf(error: unknown): Problem {
  if (error instanceof RunError) return error.problem;
  return { code: 'UNEXPECTED', message: error instanceof Error ? error.message : String(error) };
}
