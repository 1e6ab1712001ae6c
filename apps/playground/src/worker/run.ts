import {
  baselineAccuracies,
  FINAL_ADAPTER,
  fineTuneSettings,
  prepareClassifier,
  testAdapter,
  TextClassifier,
  trainAdapter,
  type FineTuneContext,
  type TrainedAdapter,
} from '@qlora-js/finetune';
import { fineTuneOptions } from './fine-tune-options';
import { openPageBase } from './open-base';
import { dataView, openPageData } from './open-data';
import { openPageDevice, type OpenedDevice } from './open-device';
import type { Backend, DataSource, DataView, DeviceFound, RunEvent, RunResult, RunSpec, Stage } from './protocol';
import { startReplicas } from './replica';
import { RunCallback } from './run-callback';
import { runOutput } from './run-output';
import type { Handlers } from './serve-run';

/** Labels of a watched text that are told. */
const TOP = 5;
/** Steps are shorter than this on fast machines, where a label for each would be flicker. */
const WATCH_MILLISECONDS = 300;

/** What there is of a run: from its base on, which later stages fill up. */
interface Current {
  readonly context: FineTuneContext;
  readonly classifier: TextClassifier;
  readonly callback: RunCallback;
  /** Undefined while it trains. */
  trained?: TrainedAdapter;
}

/** One training at a time, in a worker of its own. */
export class Run implements Handlers {
  private opened: Promise<OpenedDevice> | undefined;
  private callback: RunCallback | undefined;
  private current: Current | undefined;
  private text = '';
  private labelled = { text: '', time: 0 };

  constructor(
    private readonly tell: (event: RunEvent) => void,
    /** Address of the worker's module. */
    private readonly module: string,
  ) {}

  async open({ backend }: { readonly backend: Backend }): Promise<DeviceFound> {
    this.opened ??= openPageDevice(backend);
    return (await this.opened).found;
  }

  async inspect(source: DataSource): Promise<DataView> {
    return dataView(await openPageData(source, 0));
  }

  async train(spec: RunSpec): Promise<RunResult> {
    await this.dispose();
    this.stage('preparing');
    const { device } = await (this.opened ??= openPageDevice('auto'));
    const callback = new RunCallback({ device, tell: this.tell, betweenSteps: (step) => this.label(step) });
    this.callback = callback;
    const context = await this.prepare(spec, callback);
    const { data, base, settings } = context;
    const saved = {
      labelMap: data.labelMap!,
      task: data.task,
      maxLength: settings.padding.maxLength,
      quantization: settings.quantization,
      seed: settings.seed,
    };
    const classifier = new TextClassifier({ model: context.model, base, saved: new Map([[FINAL_ADAPTER, saved]]) });
    const current: Current = { context, classifier, callback };
    this.current = current;
    this.stage('training');
    const trained = await trainAdapter(context, { adapterName: FINAL_ADAPTER, label: 'training' });
    this.stage('testing');
    const result = await resultOf(context, trained);
    current.trained = trained;
    await this.label(trained.result.globalStep);
    return result;
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
    // While steps are under way the next one's end is the time for it.
    if (current?.trained !== undefined) await this.label(current.trained.result.globalStep);
    else if (current?.callback.resting === true) await this.label(current.callback.step);
  }

  private async prepare(spec: RunSpec, callback: RunCallback): Promise<FineTuneContext> {
    const { device, found } = await this.opened!;
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
    return prepareClassifier({
      ...options,
      base,
      data,
      device,
      output: runOutput(this.tell),
      callbacks: [callback],
      startReplicas: (numLabels) =>
        startReplicas(found.backend === 'wasm' ? spec.threads : 1, {
          module: this.module,
          setup: { base: spec.base, options, numLabels },
        }),
    });
  }

  /** Labels the watched text anew, if there is one and it is time. */
  private async label(step: number): Promise<void> {
    const { text, labelled, current } = this;
    if (text === '' || current === undefined) return;
    const due = performance.now() - labelled.time >= WATCH_MILLISECONDS || current.trained !== undefined;
    if (text === labelled.text && !due) return;
    this.labelled = { text, time: performance.now() };
    const [prediction] = await current.classifier.predict([text], { topK: TOP });
    this.tell({ kind: 'labels', labels: { text, step, labels: prediction!.labels } });
  }

  private stage(stage: Stage): void {
    this.tell({ kind: 'stage', stage });
  }

  /** Gives the memory of the run before back. */
  private async dispose(): Promise<void> {
    const { current } = this;
    this.current = undefined;
    this.callback = undefined;
    await current?.context.replicas?.dispose();
    current?.context.model.dispose();
  }
}

async function resultOf(context: FineTuneContext, trained: TrainedAdapter): Promise<RunResult> {
  const { data, model } = context;
  const testRows = data.test.numRows;
  const test = testRows === 0 ? undefined : (await testAdapter(context, trained)).metrics;
  const baselines = testRows === 0 ? undefined : baselineAccuracies(data);
  const counts = model.parameterCounts();
  return {
    steps: trained.result.globalStep,
    bestStep: trained.trainer.state.bestGlobalStep ?? undefined,
    accuracy: test?.accuracy.estimate,
    f1: test?.f1.estimate,
    majority: baselines?.majority_class,
    bagOfWords: baselines?.bag_of_words,
    testRows,
    trainedParameters: counts.trainable,
    allParameters: counts.all,
  };
}
