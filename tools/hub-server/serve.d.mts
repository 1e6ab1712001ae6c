export interface ServeOptions {
  /** 0, the default, takes one that is free. */
  readonly port?: number;
  /** Bytes a second of each connection. */
  readonly throttle?: number;
}

export interface FolderServer {
  /** Without a slash at its end. */
  readonly url: string;
  close(): Promise<void>;
}

/** Serves the models in a folder on this machine alone. */
export function serveFolder(folder: string, options?: ServeOptions): Promise<FolderServer>;
