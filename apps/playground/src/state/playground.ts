import { RunClient, RunError } from '../run/run-client';
import type {
  BaseSource,
  BlockChoice,
  Calls,
  DataSource,
  Problem,
  RunEvent,
  RunSettings,
  RunSpec,
  Slot,
} from '../worker/protocol';
import { percent } from '../view/format';
import { FIRST_STATE, type PageState } from './page-state';
import { afterEvent, isUnderWay, newRun, type RunState } from './run-state';

/** The page's state, and all that a visitor can do to it. */
export class Playground {
  private current: PageState = FIRST_STATE;
  private readonly listeners = new Set<() => void>();
  private readonly clients = new Map<Slot, RunClient>();

  get state(): PageState {
    return this.current;
  }

  /** Calls back after each change; returns the way to end that. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** Looks for a GPU and for a run that an earlier visit has left, and reads the generated rows. */
  async open(): Promise<void> {
    try {
      this.set({ device: await this.client('a').call('open', { backend: 'auto' }) });
    } catch (error) {
      this.set({ deviceProblem: problemOf(error) });
      return;
    }
    await Promise.all([this.setData(this.state.data.source), this.lookForSaved()]);
  }

  /** Reads other rows. */
  async setData(source: DataSource): Promise<void> {
    this.set({ data: { source, view: undefined, problem: undefined } });
    const isMeant = (): boolean => this.state.data.source === source;
    const { base, settings } = this.state;
    try {
      const { maxLength, seed } = settings;
      const view = await this.client('a').call('inspect', { source, base, maxLength, seed });
      if (isMeant()) this.set({ data: { source, view, problem: undefined } });
    } catch (error) {
      if (isMeant()) this.set({ data: { source, view: undefined, problem: problemOf(error) } });
    }
  }

  /** Trains on the base that the page carries. */
  async useEmbeddedBase(): Promise<void> {
    await this.setBase({ kind: 'embedded' });
  }

  /** Fetches a model of the hub and trains on it. */
  async useHubBase(repo: string, revision: string): Promise<void> {
    this.set({ baseComing: { id: repo, loaded: 0, total: 0 }, baseProblem: undefined });
    try {
      await this.setBase(await this.client('a').call('fetchBase', { repo, revision }));
    } catch (error) {
      this.set({ baseProblem: problemOf(error) });
    } finally {
      this.set({ baseComing: undefined });
    }
  }

  /** Trains on a model that was dropped, if it can be used. */
  async setBase(base: BaseSource): Promise<void> {
    this.set({ baseProblem: undefined });
    try {
      const { maxLength } = this.state.settings;
      const view = base.kind === 'embedded' ? undefined : await this.client('a').call('checkBase', { base, maxLength });
      this.set({ base, baseView: view });
    } catch (error) {
      this.set({ baseProblem: problemOf(error) });
      return;
    }
    // Lengths are counted in the base's tokens.
    if (this.state.data.source.kind === 'files') await this.setData(this.state.data.source);
  }

  setSettings(settings: Partial<RunSettings>): void {
    this.set({ settings: { ...this.state.settings, ...settings } });
  }

  /** Trains on what is chosen, as the first run or beside it. */
  async start(slot: Slot = 'a'): Promise<void> {
    const { data, base, settings, device, runs } = this.state;
    if (device === undefined || isUnderWay(runs[slot])) return;
    const shared = slot === 'b' && isUnderWay(runs.a);
    const threads = shared ? Math.max(1, Math.floor(device.threads / 2)) : device.threads;
    const spec: RunSpec = { slot, data: data.source, base, settings, threads };
    if (slot === 'a') this.set({ saved: undefined, loaded: undefined });
    // The browser may then keep the checkpoints when space runs short; its answer changes nothing here.
    void navigator.storage.persist?.();
    await this.run(slot, spec, (client) => client.call('train', spec));
  }

  /** Goes on with the run that an earlier visit has left. */
  async resume(): Promise<void> {
    const { saved } = this.state;
    if (saved === undefined) return;
    this.set({ saved: undefined, loaded: undefined });
    const { spec } = saved;
    this.set({ settings: spec.settings, base: spec.base });
    void this.setData(spec.data);
    // A lost GPU is gone for the worker that had it.
    if (this.state.runs.a?.stage === 'failed') this.renew('a');
    await this.run('a', spec, (client) => client.call('resume', null));
  }

  async forget(): Promise<void> {
    this.set({ saved: undefined });
    await this.client('a').call('forget', null);
  }

  async pause(slot: Slot, paused: boolean): Promise<void> {
    await this.client(slot).call('pause', paused);
  }

  async stop(slot: Slot): Promise<void> {
    await this.client(slot).call('stop', null);
  }

  /** Takes the second run away. */
  async removeSecond(): Promise<void> {
    this.clients.get('b')?.terminate();
    this.clients.delete('b');
    const { a } = this.state.runs;
    this.set({ runs: a === undefined ? {} : { a }, looks: { a: this.state.looks.a } });
  }

  /** Has a text labelled, now and as the models change. */
  async watch(text: string): Promise<void> {
    this.set({ text });
    await Promise.all([...this.clients.values()].map((client) => client.call('watch', text)));
  }

  /** The adapter's folder, for the browser to save. */
  async download(slot: Slot): Promise<Blob> {
    return new Blob([await this.client(slot).call('download', null)], { type: 'application/zip' });
  }

  /** Opens an adapter that was saved. */
  async load(name: string, files: Readonly<Record<string, Blob>>): Promise<void> {
    this.set({ loaded: { name, adapter: undefined, problem: undefined }, loadedLabels: undefined });
    try {
      const adapter = await this.client('a').call('load', { files, base: this.state.base });
      const { b } = this.state.runs;
      this.set({
        loaded: { name, adapter, problem: undefined },
        runs: b === undefined ? {} : { b },
        announcement: `The adapter ${name} is loaded.`,
      });
    } catch (error) {
      this.set({ loaded: { name, adapter: undefined, problem: problemOf(error) } });
    }
  }

  /** What the test rows say of a run, looked at once. */
  async look(slot: Slot): Promise<void> {
    if (this.state.looks[slot] !== undefined) return;
    const look = await this.client(slot).call('look', null);
    this.set({ looks: { ...this.state.looks, [slot]: look } });
  }

  /** Asks a run's worker for something that is shown once. */
  ask<Name extends 'norms' | 'tensors'>(slot: Slot, call: Name): Promise<ReturnType<Calls[Name]>> {
    return this.client(slot).call(call, null);
  }

  block(slot: Slot, choice: BlockChoice): Promise<ReturnType<Calls['block']>> {
    return this.client(slot).call('block', choice);
  }

  private async run(
    slot: Slot,
    spec: RunSpec,
    begin: (client: RunClient) => Promise<ReturnType<Calls['train']>>,
  ): Promise<void> {
    const { looks, runs } = this.state;
    this.set({
      runs: { ...runs, [slot]: newRun(spec) },
      looks: { ...looks, [slot]: undefined },
      announcement: 'The training is being prepared.',
    });
    try {
      const client = this.client(slot);
      if (this.state.text !== '') await client.call('watch', this.state.text);
      const result = await begin(client);
      this.setRun(slot, { stage: 'done', result });
      const { accuracy } = result;
      this.set({
        announcement:
          accuracy === undefined
            ? 'The training is over.'
            : `The training is over. Test accuracy ${percent(accuracy)}.`,
      });
    } catch (error) {
      this.setRun(slot, { stage: 'failed', problem: problemOf(error) });
      if (slot === 'a') await this.lookForSaved();
    }
  }

  private async lookForSaved(): Promise<void> {
    try {
      this.set({ saved: await this.client('a').call('saved', null) });
    } catch (error) {
      this.set({ announcement: problemOf(error).message });
    }
  }

  private client(slot: Slot): RunClient {
    const known = this.clients.get(slot) ?? new RunClient(slot, (event) => this.onEvent(slot, event));
    this.clients.set(slot, known);
    return known;
  }

  private renew(slot: Slot): void {
    this.clients.get(slot)?.terminate();
    this.clients.delete(slot);
  }

  private onEvent(slot: Slot, event: RunEvent): void {
    if (event.kind === 'baseComing') {
      const { baseComing } = this.state;
      if (baseComing !== undefined) this.set({ baseComing: { ...baseComing, ...event } });
      return;
    }
    const run = this.state.runs[slot];
    if (run !== undefined) {
      this.set({ runs: { ...this.state.runs, [slot]: afterEvent(run, event) }, ...this.announcementOf(slot, event) });
    } else if (event.kind === 'labels') this.set({ loadedLabels: event.labels });
  }

  private announcementOf(slot: Slot, event: RunEvent): Partial<PageState> {
    const { a, b } = this.state.runs;
    const which = a !== undefined && b !== undefined ? `Run ${slot.toUpperCase()}: ` : '';
    if (event.kind === 'stage' && event.stage === 'training')
      return { announcement: `${which}The training has begun.` };
    if (event.kind === 'paused') return { announcement: `${which}${event.paused ? 'Paused.' : 'Going on.'}` };
    const accuracy = event.kind === 'row' ? event.row['eval_accuracy'] : undefined;
    if (event.kind !== 'row' || accuracy === undefined) return {};
    return { announcement: `${which}Step ${event.row['step'] ?? 0}: validation accuracy ${percent(accuracy)}.` };
  }

  private setRun(slot: Slot, change: Partial<RunState>): void {
    const run = this.state.runs[slot];
    if (run !== undefined) this.set({ runs: { ...this.state.runs, [slot]: { ...run, ...change } } });
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
