import { engine, scalar } from '@tensorflow/tfjs-core';
import type { CollatedBatch } from '@qlora-js/data';
import type { NamedVariable } from '@qlora-js/optim';
import { TrainerError } from '../errors';
import { AskedThread } from './asked-thread';
import { addGradients, partGradients, scaled, type WindowGradients, type WindowPosition } from '../steps/gradients';
import { lossItems, type TrainableModel, type UploadedBatch } from '../model/trainable-model';
import type { ReplicaGroup, ReplicaSettings, ReplicatedWindowOptions } from '../steps/replica-group';
import { flatten, unflatten } from '../steps/flat';
import type { ReplicaAnswer, ReplicaRequest, VariableShape } from './messages';
import type { BatchOutput } from '../steps/outputs';
import type { ReplicaLink } from './port';
import { deal, shareWindow } from './shares';

/** What `Replicas.connect` takes. */
export interface ConnectOptions<Setup = unknown> {
  /** One for each thread, whose module calls `serveReplica`. */
  readonly links: readonly ReplicaLink[];
  /** What each replica builds its model from; it is cloned as messages are. */
  readonly setup: Setup;
}

/**
 * Copies of a model in threads of their own that each take a part of every micro-batch's rows; the main thread takes one
 * as well. For wasm and cpu. The trained variables' values go to the replicas with every step, so whatever has changed
 * them in between (an optimiser, a checkpoint) needs no telling. In Node, `startReplicas` of `@qlora-js/trainer/node`
 * starts the threads; elsewhere `connect` takes links to threads that the caller has started.
 *
 * A replica that fails ends all of them: the error names it, and every later call throws that error again.
 */
export class Replicas implements ReplicaGroup {
  private readonly members: readonly AskedThread<ReplicaRequest, ReplicaAnswer>[];
  private variables: readonly (readonly VariableShape[])[] = [];
  private failure: Error | undefined;
  private ended: Promise<unknown> | undefined;

  private constructor(links: readonly ReplicaLink[]) {
    this.members = links.map((link, index) => {
      const failed = (what: string, message: string, cause?: unknown): TrainerError =>
        new TrainerError('REPLICA_FAILED', `replica ${index + 1} of ${links.length} failed ${what}: ${message}`, {
          cause,
        });
      return new AskedThread(link, failed, (error) => this.fail(error));
    });
  }

  /**
   * Has every replica build its model; resolves once all have.
   *
   * @throws TrainerError REPLICA_FAILED where one can't, with all threads ended
   */
  static async connect<Setup>({ links, setup }: ConnectOptions<Setup>): Promise<Replicas> {
    const replicas = new Replicas(links);
    const ready = await replicas.all(
      replicas.members.map((member) =>
        member.ask({ kind: 'setUp', setup }, { answer: 'ready', what: 'at its set-up' }),
      ),
    );
    replicas.variables = ready.map(({ variables }) => variables);
    return replicas;
  }

  /** Threads beside the main one. */
  get count(): number {
    return this.members.length;
  }

  /**
   * What the trainer sets on every model before it trains; loops of their own that change neither need no call.
   *
   * @throws TrainerError BAD_ARGUMENT on a backend that replicas are not for; REPLICA_FAILED
   */
  async configure(settings: ReplicaSettings): Promise<void> {
    this.throwIfUnusable();
    await this.all(
      this.members.map((member) =>
        member.ask({ kind: 'configure', settings }, { answer: 'configured', what: 'while it was configured' }),
      ),
    );
  }

  /**
   * `windowGradients` with every micro-batch's rows dealt out to the main thread and the replicas, as many real tokens
   * to each. Shares are weighted by their rows and summed in the replicas' order, so a given number of threads gives the
   * same bits every time. Dropout goes by the rows: another number of threads draws the same masks, and agrees but for
   * the order of sums.
   *
   * @throws TrainerError REPLICA_FAILED, or BAD_ARGUMENT where the replicas' variables are not of the shapes of `trained`
   */
  async windowGradients<Batch extends UploadedBatch>(
    model: TrainableModel<Batch>,
    trained: readonly NamedVariable[],
    window: readonly CollatedBatch[],
    position: WindowPosition,
    { lossScale = 1 }: ReplicatedWindowOptions = {},
  ): Promise<WindowGradients> {
    this.throwIfUnusable();
    this.checkVariables(trained);
    const [own = [], ...others] = shareWindow(window, this.count + 1, (batch) => lossItems(model, batch));
    const answers = this.askShares(
      trained,
      others,
      (parts, parameters) => ({ kind: 'gradients', parameters, parts, position, lossScale }),
      { answer: 'gradients', what: `in step ${position.step}` },
    );
    let total = partGradients(model, trained, own, position, { scaleLoss: (loss) => scaled(loss, lossScale) });
    try {
      for (const { loss, gradients } of await this.all(answers)) {
        total = addGradients(total, { loss: scalar(loss), gradients: unflatten(trained, gradients) });
      }
    } catch (error) {
      for (const held of [total.loss, ...total.gradients.values()]) held.dispose();
      throw error;
    }
    return total;
  }

  /**
   * Loss and logits of whole batches without gradients, dealt out by their real tokens: bit for bit what one thread
   * computes. `own` computes those that fall to the main thread, meanwhile.
   *
   * @returns the batches' outputs, in their order
   * @throws TrainerError as `windowGradients`
   */
  async outputs(
    trained: readonly NamedVariable[],
    batches: readonly CollatedBatch[],
    own: (batch: CollatedBatch) => Promise<BatchOutput>,
  ): Promise<BatchOutput[]> {
    this.throwIfUnusable();
    this.checkVariables(trained);
    const [ownShare = [], ...others] = deal(
      batches.map(({ realTokens }) => realTokens),
      this.count + 1,
    );
    const answers = this.askShares(
      trained,
      others,
      (share, parameters) => ({ kind: 'outputs', parameters, batches: share.map((batch) => batches[batch]!) }),
      { answer: 'outputs', what: 'in an evaluation' },
    );
    const results: BatchOutput[] = [];
    for (const batch of ownShare) results[batch] = await own(batches[batch]!);
    (await this.all(answers)).forEach(({ outputs }, index) => {
      outputs.forEach((output, place) => (results[others[index]![place]!] = output));
    });
    return results;
  }

  /** False once they have been disposed of or one has failed. */
  get alive(): boolean {
    return this.failure === undefined;
  }

  /** Ends every thread, whatever it is at. Safe to call twice. */
  async dispose(): Promise<void> {
    this.failure ??= new TrainerError('REPLICA_FAILED', 'the replicas were disposed of');
    const { failure } = this;
    this.ended ??= Promise.all(this.members.map((member) => member.end(failure)));
    await this.ended;
  }

  /** Asks each replica for its share of the work, the trained variables' values with it; those without one are left out. */
  private askShares<Item, Kind extends ReplicaAnswer['kind']>(
    trained: readonly NamedVariable[],
    shares: readonly (readonly Item[])[],
    request: (share: readonly Item[], parameters: Float32Array<ArrayBuffer>) => ReplicaRequest,
    expected: { readonly answer: Kind; readonly what: string },
  ): Promise<Extract<ReplicaAnswer, { kind: Kind }>>[] {
    const values = flatten(trained.map(({ variable }) => variable));
    return shares.flatMap((share, index) => {
      if (share.length === 0) return [];
      const parameters = values.slice();
      return this.members[index]!.ask(request(share, parameters), { ...expected, transfer: [parameters.buffer] });
    });
  }

  /** All answers; after a failure, every thread has ended by the time it is thrown. */
  private async all<Answer>(answers: readonly Promise<Answer>[]): Promise<Answer[]> {
    try {
      return await Promise.all(answers);
    } catch (error) {
      await this.dispose();
      throw error;
    }
  }

  private fail(error: Error): void {
    if (this.failure !== undefined) return;
    this.failure = error;
    void this.dispose();
  }

  private checkVariables(trained: readonly NamedVariable[]): void {
    for (const [index, variables] of this.variables.entries()) checkVariables(variables, trained, index);
  }

  private throwIfUnusable(): void {
    if (this.failure !== undefined) throw this.failure;
    const { backendName } = engine();
    if (backendName !== 'wasm' && backendName !== 'cpu') {
      throw new TrainerError(
        'BAD_ARGUMENT',
        `replicas share the work of wasm and cpu, but the backend is ${backendName}, which uses the whole device by itself; leave replicas out`,
      );
    }
  }
}

function checkVariables(variables: readonly VariableShape[], trained: readonly NamedVariable[], replica: number): void {
  const shown = (named: VariableShape | undefined): string =>
    named === undefined ? 'none' : `${named.name} [${named.shape.join(', ')}]`;
  for (let index = 0; index < Math.max(variables.length, trained.length); index++) {
    const theirs = variables[index];
    const variable = trained[index];
    const own = variable && { name: variable.name, shape: variable.variable.shape };
    if (theirs?.shape.join() === own?.shape.join()) continue;
    throw new TrainerError(
      'BAD_ARGUMENT',
      `replica ${replica + 1} of another model: trained variable ${index} is ${shown(own)} here and ${shown(theirs)} there`,
    );
  }
}
