import { LoopbackServer, type SeenRequest } from './loopback';

/** A run as the server has it. */
export interface StandInRun {
  readonly id: string;
  readonly entity: string;
  readonly project: string;
  readonly displayName: string | null;
  readonly group: string | null;
  readonly jobType: string | null;
  readonly tags: readonly string[];
  readonly config: Record<string, unknown>;
  /** Lines by their number; a line sent again replaces itself. */
  readonly history: string[];
  summary: string;
  complete: boolean;
  exitCode: number | undefined;
}

/** An artifact as the server has it. */
export interface StandInArtifact {
  readonly id: string;
  readonly digest: string;
  readonly name: string;
  readonly type: string;
  committed: boolean;
}

type Json = Record<string, unknown>;

/**
 * Stands in for W&B's server: the part of its protocol that a run with metrics, files and an artifact uses.
 * `npm run verify -- trackers` has PyPI's own client run against it.
 */
export class WandbStandIn {
  readonly runs = new Map<string, StandInRun>();
  readonly artifacts: StandInArtifact[] = [];
  /** What was put into the storage, by path. */
  readonly stored = new Map<string, Buffer>();

  private constructor(readonly server: LoopbackServer) {}

  static async start(): Promise<WandbStandIn> {
    let standIn: WandbStandIn | undefined = undefined as WandbStandIn | undefined;
    const server = await LoopbackServer.start((request, base) => standIn!.answer(request, base));
    standIn = new WandbStandIn(server);
    return standIn;
  }

  /** The rows of a run, NaN and infinities as texts. */
  rows(id: string): Json[] {
    return this.runs.get(id)!.history.map((line) => JSON.parse(asJson(line)) as Json);
  }

  /** The last summary of a run. */
  summary(id: string): Json {
    return JSON.parse(asJson(this.runs.get(id)!.summary)) as Json;
  }

  private answer({ method, url, body }: SeenRequest, base: string): unknown {
    if (method === 'PUT' && url.startsWith('/storage/')) {
      this.stored.set(decodeURIComponent(url.slice('/storage/'.length)), body);
      return {};
    }
    if (url === '/graphql') return { data: this.graphql(JSON.parse(body.toString()) as Json, base) };
    const [, , , id] = /^\/files\/([^/]+)\/([^/]+)\/([^/]+)\/file_stream$/.exec(url) ?? [];
    if (id !== undefined && this.runs.has(id))
      return this.fileStream(this.runs.get(id)!, JSON.parse(body.toString()) as Json);
    // The Python client's telemetry.
    return url.startsWith('/sdk/otel/') ? {} : undefined;
  }

  private fileStream(run: StandInRun, { files, complete, exitcode }: Json): unknown {
    for (const [name, part] of Object.entries((files ?? {}) as Record<string, { offset: number; content: string[] }>)) {
      if (name === 'wandb-history.jsonl') part.content.forEach((line, i) => (run.history[part.offset + i] = line));
      if (name === 'wandb-summary.json') run.summary = part.content.at(-1)!;
    }
    if (complete === true) {
      run.complete = true;
      run.exitCode = exitcode as number;
    }
    return {};
  }

  private graphql({ operationName, query, variables }: Json, base: string): unknown {
    // Some of the Python client's calls name their operation in the query alone.
    const operation = operationName || /^\s*(?:query|mutation)\s+(\w+)/.exec(query as string)?.[1];
    const given = (variables ?? {}) as Json;
    const place = (name: string): string => `${base}/storage/${encodeURIComponent(name)}`;
    switch (operation) {
      case 'Viewer':
        return { viewer: { id: 'V', entity: 'me', username: 'me', email: '', flags: '{}', teams: { edges: [] } } };
      case 'ServerFeaturesQuery':
        return { serverInfo: { features: [] } };
      case 'ArtifactType':
        return { project: null };
      case 'UpsertBucket':
        return { upsertBucket: this.upsert(given) };
      case 'CreateRunFiles': {
        const names = given['files'] as string[];
        const files = names.map((name) => ({ name, uploadUrl: place(name) }));
        return { createRunFiles: { runID: 'R', uploadHeaders: ['X-Storage: run'], files } };
      }
      case 'CreateArtifact':
        return { createArtifact: { artifact: this.createArtifact(given['input'] as Json) } };
      case 'CreateArtifactManifest': {
        const upload = given['includeUpload'] === true ? { uploadUrl: place('manifest'), uploadHeaders: [] } : {};
        return { createArtifactManifest: { artifactManifest: { id: 'M', file: { id: 'F', ...upload } } } };
      }
      case 'CreateArtifactFiles': {
        const { artifactFiles } = given['input'] as { artifactFiles: { name: string; artifactID: string }[] };
        const edges = artifactFiles.map(({ name, artifactID }) => ({
          node: {
            storagePath: `wandb_artifacts/${name}`,
            uploadUrl: place(`artifact/${name}`),
            uploadHeaders: ['X-Storage: artifact'],
            uploadMultipartUrls: null,
            artifact: { id: artifactID },
          },
        }));
        return { createArtifactFiles: { files: { edges } } };
      }
      case 'CommitArtifact': {
        const artifact = this.artifacts.find(({ id }) => id === given['artifactID'])!;
        artifact.committed = true;
        return { commitArtifact: { artifact: { id: artifact.id, digest: artifact.digest } } };
      }
      default:
        return {};
    }
  }

  private upsert(given: Json): unknown {
    const id = given['name'] as string;
    const known = this.runs.get(id);
    const kept = <T>(key: string, before: T): T => (given[key] ?? before) as T;
    const run: StandInRun = {
      id,
      entity: kept('entity', known?.entity ?? 'me'),
      project: kept('project', known?.project ?? 'uncategorized'),
      displayName: kept('displayName', known?.displayName ?? null),
      group: kept('groupName', known?.group ?? null),
      jobType: kept('jobType', known?.jobType ?? null),
      tags: kept('tags', known?.tags ?? []),
      config: JSON.parse((given['config'] as string | null) ?? '{}') as Json,
      history: known?.history ?? [],
      summary: known?.summary ?? '{}',
      complete: false,
      exitCode: undefined,
    };
    this.runs.set(id, run);
    const project = { id: 'P', name: run.project, entity: { id: 'E', name: run.entity } };
    const bucket = { id: 'B', name: id, displayName: run.displayName, description: '', sweepName: null, project };
    return {
      inserted: known === undefined,
      bucket: { ...bucket, config: JSON.stringify(run.config), historyLineCount: run.history.length },
    };
  }

  private createArtifact(input: Json): unknown {
    const { artifactCollectionName: name, digest } = input as { artifactCollectionName: string; digest: string };
    const known = this.artifacts.find((artifact) => artifact.name === name && artifact.digest === digest);
    const artifact =
      known ??
      ({
        id: `A${this.artifacts.length}`,
        digest,
        name,
        type: input['artifactTypeName'],
        committed: false,
      } as StandInArtifact);
    if (known === undefined) this.artifacts.push(artifact);
    const state = artifact.committed ? 'COMMITTED' : 'PENDING';
    return { id: artifact.id, digest, state, artifactSequence: { id: 'S', latestArtifact: null } };
  }
}

/** A line as the clients write it, with the bare words that JSON lacks made texts. */
function asJson(line: string): string {
  return line.replaceAll(/(?<=:)\s*(NaN|-?Infinity)(?=[,}])/g, '"$1"');
}
