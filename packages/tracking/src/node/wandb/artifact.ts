import { createHash } from 'node:crypto';
import { TrackingError } from '../../errors';
import { type ArtifactEvent } from '../../run-event';
import { at, neededText, textAt, type WandbApi } from './api';
import { COMMIT_ARTIFACT, CREATE_ARTIFACT, CREATE_ARTIFACT_FILES, CREATE_ARTIFACT_MANIFEST } from './queries';

/** What an artifact belongs to. */
export interface ArtifactContext {
  readonly api: WandbApi;
  readonly run: { readonly entity: string; readonly project: string; readonly id: string };
  /** Step of the history it was logged at. */
  readonly step: number;
  readonly read: (path: string) => Promise<Uint8Array>;
}

/** Uploads files as a version of an artifact; the same files twice are one version. */
export async function uploadArtifact(
  artifact: ArtifactEvent,
  { api, run, step, read }: ArtifactContext,
): Promise<void> {
  const { entity, project, id: runName } = run;
  const files = [...artifact.files].sort((a, b) => (a.path < b.path ? -1 : 1));
  const collection = artifact.name.replaceAll(/[^\w.-]/g, '-');
  const created = await api.graphql('CreateArtifact', CREATE_ARTIFACT, {
    input: {
      entityName: entity,
      projectName: project,
      runName,
      artifactTypeName: artifact.type,
      artifactCollectionName: collection,
      artifactCollectionNames: null,
      aliases: [{ artifactCollectionName: collection, alias: 'latest' }],
      // Ids of the client's own making: the same again for the same artifact, should this be sent twice.
      clientID: hash('sha512', `${entity}/${project}/${runName}/${collection}/${manifestDigest(files)}`),
      sequenceClientID: hash('sha512', `${entity}/${project}/${collection}`),
      clientMutationId: null,
      description: null,
      digest: manifestDigest(files),
      digestAlgorithm: 'MANIFEST_MD5',
      distributedID: null,
      enableDigestDeduplication: true,
      historyStep: step,
      labels: null,
      metadata: null,
      storageRegion: null,
      ttlDurationSeconds: null,
    },
  });
  const artifactID = neededText(created, 'CreateArtifact', ['createArtifact', 'artifact', 'id']);
  if (textAt(created, 'createArtifact', 'artifact', 'state') === 'COMMITTED') return;
  const manifest = { artifactID, name: 'wandb_manifest.json', entityName: entity, projectName: project, runName };
  const baseArtifactID =
    textAt(created, 'createArtifact', 'artifact', 'artifactSequence', 'latestArtifact', 'id') ?? null;
  const begun = await api.graphql('CreateArtifactManifest', CREATE_ARTIFACT_MANIFEST, {
    ...manifest,
    baseArtifactID,
    digest: '',
    manifestType: 'FULL',
    includeUpload: false,
  });
  const artifactManifestID = neededText(begun, 'CreateArtifactManifest', [...MANIFEST, 'id']);
  const places = await api.graphql('CreateArtifactFiles', CREATE_ARTIFACT_FILES, {
    input: {
      artifactFiles: files.map(({ path, md5 }) => ({
        artifactID,
        artifactManifestID,
        name: path,
        md5,
        mimetype: null,
        uploadPartsInput: null,
      })),
      clientMutationId: null,
      cloudRegionID: null,
      storageLayout: 'V2',
    },
  });
  const edges = at(places, 'createArtifactFiles', 'files', 'edges');
  if (!Array.isArray(edges) || edges.length !== files.length) {
    throw new TrackingError('BAD_ANSWER', `CreateArtifactFiles: no place for each of ${files.length} files`, {
      place: 'Weights & Biases',
    });
  }
  for (const [i, file] of files.entries()) {
    const url = textAt(edges, i, 'node', 'uploadUrl');
    // A file that the storage has already gets no address.
    if (url !== undefined) await api.upload(url, headersAt(edges, i, 'node', 'uploadHeaders'), await read(file.path));
  }
  const text = JSON.stringify({
    version: 1,
    storagePolicy: 'wandb-storage-policy-v1',
    storagePolicyConfig: { storageLayout: 'V2' },
    contents: Object.fromEntries(
      files.map(({ path, size, md5 }, i) => [
        path,
        {
          digest: md5,
          size,
          birthArtifactID: textAt(edges, i, 'node', 'artifact', 'id') ?? artifactID,
          skip_cache: false,
        },
      ]),
    ),
  });
  const digest = createHash('md5').update(text).digest('base64');
  const placed = await api.graphql('CreateArtifactManifest', CREATE_ARTIFACT_MANIFEST, {
    ...manifest,
    baseArtifactID,
    digest,
    manifestType: 'FULL',
    includeUpload: true,
  });
  const url = neededText(placed, 'CreateArtifactManifest', [...MANIFEST, 'file', 'uploadUrl']);
  await api.upload(url, headersAt(placed, ...MANIFEST, 'file', 'uploadHeaders'), text);
  await api.graphql('CommitArtifact', COMMIT_ARTIFACT, { artifactID });
}

const MANIFEST = ['createArtifactManifest', 'artifactManifest'] as const;

/**
 * The digest by which W&B knows an artifact's content: MD5 of its files' names and digests. Source: wandb 0.31,
 * sdk/artifacts/_generated and storage policy; the Python client's for the same files is the same (`verify -- trackers`).
 */
export function manifestDigest(files: readonly { readonly path: string; readonly md5: string }[]): string {
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  return hash('md5', `wandb-artifact-manifest-v1\n${sorted.map(({ path, md5 }) => `${path}:${md5}\n`).join('')}`);
}

function hash(algorithm: 'md5' | 'sha512', text: string): string {
  return createHash(algorithm).update(text).digest('hex');
}

/** Headers of an upload, as the server gives them: texts `Name: value`. */
function headersAt(value: unknown, ...keys: readonly (string | number)[]): string[] {
  const found = at(value, ...keys);
  return Array.isArray(found) ? found.filter((header): header is string => typeof header === 'string') : [];
}
