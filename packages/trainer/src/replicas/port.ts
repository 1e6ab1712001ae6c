/** One end of a connection between the main thread and a replica. Messages are structured clones and keep their order. */
export interface ReplicaPort {
  /** @param transfer buffers of the message that are handed over instead of copied */
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  /** Called once, before the first message is read. */
  listen(listener: (message: unknown) => void): void;
}

/** The main thread's end: it has the replica's thread in hand. */
export interface ReplicaLink extends ReplicaPort {
  /** Calls back where the thread ends without having been asked to, with what is known of why. */
  onEnd(listener: (cause: Error) => void): void;
  /** Ends the thread, whatever it is at. Safe to call twice. */
  end(): Promise<void>;
  /** Told when answers begin and cease to be due, so that only a wait for them keeps a process alive. */
  waiting?(due: boolean): void;
}

/** What a Worker, a worker's own scope (`self`) and a MessagePort have in common. */
export interface MessageTarget {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  /** MessagePorts hold messages back until they are started. */
  start?(): void;
}

/** A port over the web's events: `eventPort(self)` in a Web Worker. */
export function eventPort(target: MessageTarget): ReplicaPort {
  return {
    post: (message, transfer = []) => target.postMessage(message, [...transfer]),
    listen: (listener) => {
      target.addEventListener('message', ({ data }) => listener(data));
      target.start?.();
    },
  };
}

/** What is needed of a Web Worker; written out, so that programs without the DOM's types can use this package. */
export interface WebWorker extends MessageTarget {
  /** Called with each message of the worker. */
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  /** Called where its module or something in it fails. */
  addEventListener(type: 'error', listener: (event: { readonly message: string }) => void): void;
  /** Called where a message can't be read. */
  addEventListener(type: 'messageerror', listener: () => void): void;
  /** Ends it at once. */
  terminate(): void;
}

/** The main thread's end of a Web Worker whose module calls `serveReplica(eventPort(self), ...)`. */
export function webWorkerLink(worker: WebWorker): ReplicaLink {
  return {
    ...eventPort(worker),
    onEnd: (listener) => {
      worker.addEventListener('error', ({ message }) =>
        listener(new Error(message || 'its module could not be loaded')),
      );
      worker.addEventListener('messageerror', () => listener(new Error('an answer could not be read')));
    },
    end: async () => worker.terminate(),
  };
}
