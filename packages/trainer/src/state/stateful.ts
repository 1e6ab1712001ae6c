/**
 * A part of a run that has something to remember: what a resumed run needs to go on as if it had never stopped. Optimiser,
 * loss scaler, loss log, position in the data and callbacks are such parts; a schedule and the dropout masks are functions
 * of the step and need nothing. The name and the methods are those of torch.distributed.checkpoint.stateful.Stateful.
 */
export interface Stateful<State extends object = object> {
  /** A copy: plain objects and arrays of JSON values, Float32Array, Uint8Array and Int32Array. */
  stateDict(): State | Promise<State>;
  /** Takes over what `stateDict` of an equal part has given; throws before anything changes where it does not fit. */
  loadStateDict(state: State): void | Promise<void>;
}
