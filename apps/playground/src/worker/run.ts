import type { TextDataset } from '@qlora-js/data';
import {
  baselines as costlessBaselines,
  collectReport,
  FINAL_ADAPTER,
  fineTuneSettings,
  openTextClassifier,
  prepareClassifier,
  testAdapter,
  TextClassifier,
  trainAdapter,
  type FineTuneContext,
  type RunReport,
  type TrainedAdapter,
} from '@qlora-js/finetune';
import type { PeftModel } from '@qlora-js/lora';
import { adapterOf } from './adapter-files';
import type { HubRepository } from './hub-base';
import { fineTuneOptions } from './fine-tune-options';
import { openPageBase } from './open-base';
import { inspectPageData, openPageData } from './open-data';
import { openPageDevice, type OpenedDevice } from './open-device';
import type {
  Backend,
  BaseSource,
  BaseView,
  BlockChoice,
  DataView,
  DeviceFound,
  Inspection,
  LayerNorm,
  LoadedAdapter,
  Look,
  RunEvent,
  RunResult,
  RunSpec,
  SavedRun,
  Slot,
  Stage,
  WeightBlock,
} from './protocol';
import { startReplicas } from './replica';
import { RunCallback } from './run-callback';
import { runOutput } from './run-output';
import { RunStorage } from './saved-run';
import type { Handlers } from './serve-run';

/** Labels of a watched text that are told. */
const TOP = 5;
/** Steps are shorter than this on fast machines, where a label for each would be flicker. */
const WATCH_MILLISECONDS = 300;

/** The model that is there, trained here or loaded. */
interface Current {
  readonly classifier: TextClassifier;
  /** Undefined for an adapter that was loaded. */
  readonly training?: { readonly context: FineTuneContext; readonly callback: RunCallback };
  /** Undefined while it trains. */
  done?: { readonly trained: TrainedAdapter; readonly report: RunReport };
}

/** One training at a time, in a worker of its own. */
export class Run implements Handlers {
  private opened: Promise<OpenedDevice> | undefined;
  private callback: RunCallback | undefined;
  private current: Current | undefined;
  private text = '';
  private labelled = { text: '', time: 0 };

  constructor(
    private readonly slot: Slot,
    private readonly tell: (event: RunEvent) => void,
    /** Address of the worker's module. */
    private readonly module: string,
  ) {}

  async open({ backend }: { readonly backend: Backend }): Promise<DeviceFound> {
    this.opened ??= openPageDevice(backend);
    return (await this.opened).found;
  }

  async inspect(inspection: Inspection): Promise<DataView> {
    return inspectPageData(inspection);
  }

  async fetchBase(repository: HubRepository): Promise<BaseSource> {
    const { hubBase } = await import('./hub-base');
    return hubBase(repository, (loaded, total) => this.tell({ kind: 'baseComing', loaded, total }));
  }

  async checkBase({ base, maxLength }: { readonly base: BaseSource; readonly maxLength: number }): Promise<BaseView> {
    const { id, family } = await openPageBase(base, { maxLength, paddingSide: 'right' });
    const sizes = base.kind === 'files' ? Object.values(base.files).map(({ size }) => size) : [];
    return { id, modelType: family.modelType, bytes: sizes.reduce((sum, size) => sum + size, 0) };
  }

  train(spec: RunSpec): Promise<RunResult> {
    return this.alone(async () => {
      const storage = await RunStorage.open(this.slot);
      await storage?.begin(spec);
      return this.runTo(spec, { storage, resume: false });
    });
  }

  async saved(): Promise<SavedRun | undefined> {
    return (await RunStorage.open(this.slot))?.saved();
  }

  resume(): Promise<RunResult> {
    return this.alone(async () => {
      const storage = await RunStorage.open(this.slot);
      const saved = await storage?.saved();
      if (saved === undefined) throw new Error('there is no run to go on with: start it anew');
      return this.runTo(saved.spec, { storage, resume: true });
    });
  }

  async forget(): Promise<void> {
    await (await RunStorage.open(this.slot))?.forget();
  }

  pause(paused: boolean): void {
    this.callback?.pause(paused);
  }

  stop(): void {
    this.callback?.stop();
  }

  async watch(text: string): Promise<void> {
    this.text = text.trim();
    this.labelled = { text: '', time: 0 };
    const { current } = this;
    const callback = current?.training?.callback;
    // While steps are under way the next one's end is the time for it.
    if (current?.done !== undefined || (current !== undefined && callback === undefined))
      await this.label(callback?.step);
    else if (callback?.resting === true) await this.label(callback.step);
  }

  async download(): Promise<Uint8Array<ArrayBuffer>> {
    const { context, report } = this.trained();
    const { zipAdapter } = await import('./adapter-zip');
    return zipAdapter(context, report);
  }

  async load({
    files,
    base,
  }: {
    readonly files: Readonly<Record<string, Blob>>;
    readonly base: BaseSource;
  }): Promise<LoadedAdapter> {
    const { device } = await this.device();
    const adapter = await adapterOf(files);
    const { id, files: baseFiles, revision } = await openPageBase(base, { maxLength: 1, paddingSide: 'right' });
    const classifier = await openTextClassifier({
      adapters: { [FINAL_ADAPTER]: adapter },
      base: { id, files: baseFiles, revision },
      device,
      output: runOutput(this.tell),
    });
    await this.dispose();
    this.current = { classifier };
    await this.label(undefined);
    return { labels: classifier.labels() };
  }

  async look(): Promise<Look> {
    const { context, classifier } = this.trained();
    const { lookAt } = await import('./look');
    return lookAt(classifier, context.data);
  }

  async norms(): Promise<readonly LayerNorm[]> {
    const { layerNorms } = await import('./weights');
    return layerNorms(this.trained().model);
  }

  async tensors(): Promise<readonly string[]> {
    const { adapterTensors } = await import('./weights');
    return adapterTensors(this.trained().model);
  }

  async block(which: BlockChoice): Promise<WeightBlock> {
    const { blockOf } = await import('./weights');
    return blockOf(this.trained().model, which);
  }

  /** From what it is made of to its figures, and checkpoints on the way where there is a place for them. */
  private async runTo(
    spec: RunSpec,
    { storage, resume }: { readonly storage: RunStorage | undefined; readonly resume: boolean },
  ): Promise<RunResult> {
    await this.dispose();
    this.stage('preparing');
    const { device } = await this.device();
    const callback = new RunCallback({ device, tell: this.tell, betweenSteps: (step) => this.label(step) });
    this.callback = callback;
    const context = await this.prepare(spec, callback, storage);
    const { data, base, settings } = context;
    const saved = {
      labelMap: data.labelMap!,
      task: data.task,
      maxLength: settings.padding.maxLength,
      quantization: settings.quantization,
      seed: settings.seed,
    };
    const classifier = new TextClassifier({ model: context.model, base, saved: new Map([[FINAL_ADAPTER, saved]]) });
    const current: Current = { classifier, training: { context, callback } };
    this.current = current;
    this.stage('training');
    const trained = await trainAdapter(context, {
      adapterName: FINAL_ADAPTER,
      label: 'training',
      resumeFromCheckpoint: resume,
    });
    this.stage('testing');
    const report = await reportOf(context, trained);
    current.done = { trained, report };
    await this.label(trained.result.globalStep);
    return resultOf(trained, report);
  }

  private async prepare(
    spec: RunSpec,
    callback: RunCallback,
    storage: RunStorage | undefined,
  ): Promise<FineTuneContext> {
    const { device, found } = await this.device();
    const data = await openPageData(spec.data, spec.settings.seed);
    const options = fineTuneOptions(spec.settings, data.train.numRows);
    const base = await openPageBase(spec.base, fineTuneSettings(options).padding, (path, loaded, total) =>
      this.tell({
        kind: 'progress',
        label: `loading the base: ${path}`,
        done: loaded / (total ?? loaded),
        note: undefined,
      }),
    );
    const output = runOutput(this.tell);
    if (storage === undefined)
      output.warn('This browser keeps no files for pages here: closing the page ends the run.');
    const checkpoints = await storage?.checkpoints((name) =>
      this.tell({ kind: 'saved', step: Number(name.replace('checkpoint-', '')) }),
    );
    return prepareClassifier({
      ...options,
      base,
      data,
      device,
      output,
      callbacks: [callback],
      ...(checkpoints === undefined ? {} : { checkpoints: () => checkpoints }),
      startReplicas: (head) =>
        startReplicas(found.backend === 'wasm' ? spec.threads : 1, {
          module: this.module,
          setup: { base: spec.base, options, head },
        }),
    });
  }

  /** Labels the watched text anew, if there is one and it is time. */
  private async label(step: number | undefined): Promise<void> {
    const { text, labelled, current } = this;
    if (text === '' || current === undefined) return;
    const trains = current.training !== undefined && current.done === undefined;
    if (trains && text === labelled.text && performance.now() - labelled.time < WATCH_MILLISECONDS) return;
    this.labelled = { text, time: performance.now() };
    const [prediction] = await current.classifier.predict([text], { topK: TOP });
    this.tell({ kind: 'labels', labels: { text, step, labels: prediction!.labels } });
  }

  private trained(): {
    readonly context: FineTuneContext;
    readonly model: PeftModel;
    readonly classifier: TextClassifier;
    readonly report: RunReport;
  } {
    const { current } = this;
    if (current?.training === undefined || current.done === undefined) throw new Error('nothing has been trained yet');
    const { context } = current.training;
    return { context, model: context.model, classifier: current.classifier, report: current.done.report };
  }

  private device(): Promise<OpenedDevice> {
    return (this.opened ??= openPageDevice('auto'));
  }

  private stage(stage: Stage): void {
    this.tell({ kind: 'stage', stage });
  }

  /** Two tabs must not write to one run's files. */
  private async alone<Result>(work: () => Promise<Result>): Promise<Result> {
    return navigator.locks.request(`run-${this.slot}`, { ifAvailable: true }, async (lock) => {
      if (lock === null) throw new Error('another tab of this page is training: go on there, or close it');
      return work();
    });
  }

  /** Gives the memory of the model before back. */
  private async dispose(): Promise<void> {
    const { current } = this;
    this.current = undefined;
    this.callback = undefined;
    await current?.training?.context.replicas?.dispose();
    current?.classifier.dispose();
  }
}

/** The rows to test with, if there are any, and what costs nothing on the same rows. */
async function reportOf(context: FineTuneContext, trained: TrainedAdapter): Promise<RunReport> {
  const { data }: { readonly data: TextDataset } = context;
  const tested = data.test.numRows === 0 ? undefined : await testAdapter(context, trained);
  const baselines = data.test.numRows === 0 ? undefined : await costlessBaselines(data);
  return collectReport(context, { trained, found: undefined, test: tested?.metrics, manual: undefined, baselines });
}

function resultOf({ result, trainer }: TrainedAdapter, report: RunReport): RunResult {
  return {
    steps: result.globalStep,
    bestStep: trainer.state.bestGlobalStep ?? undefined,
    accuracy: report.test_accuracy ?? undefined,
    f1: report.test_f1 ?? undefined,
    majority: report.baselines?.majority_class,
    bagOfWords: report.baselines?.bag_of_words,
    testRows: report.rows.test,
    trainedParameters: report.trainable_params,
    allParameters: report.all_params,
  };
}
