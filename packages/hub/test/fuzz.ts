import { damaged, type Draw, type FuzzTarget } from '../../../tools/test/fuzz';
import { openCheckpoint } from '../src/checkpoint/open';
import { HubError } from '../src/error';
import { bufferSource } from '../src/files/byte-source';
import { memoryFiles } from '../src/files/model-files';
import { openPyTorchCheckpoint } from '../src/pickle/open';
import { openSafetensors } from '../src/safetensors/open';
import { serializeSafetensors } from '../src/safetensors/serialize';
import { type TensorFile } from '../src/tensor';
import { ggufFiles } from '../src/gguf/files';
import { ggufTokenizer } from '../src/gguf/metadata';
import { ggufFile, type GgufEntry, type GgufTensorEntry } from './gguf-writer';
import * as p from './pickle-writer';

const isOwn = (error: unknown): boolean => HubError.isInstance(error);

async function readAll(file: TensorFile): Promise<void> {
  for (const name of [...file.tensors.keys()].slice(0, 20)) await file.read(name);
}

/** One time in some hundreds, enough of a piece to be a bomb. */
const repeats = (draw: Draw): number => (draw.chance(100) ? draw.integer(1_000_000) : draw.integer(4));

const size = (draw: Draw): p.Pickled => {
  const odd = draw.chance(3) ? draw.pick([2n ** 31n, 2n ** 53n, 2n ** 60n, -1n, 2n ** 32n]) : BigInt(draw.integer(4));
  return [0x8a, 8, ...new Uint8Array(BigInt64Array.of(BigInt.asIntN(64, odd)).buffer)];
};

const storageTypes = ['FloatStorage', 'HalfStorage', 'LongStorage', 'BoolStorage', 'UntypedStorage', 'QInt8Storage'];

/** A value as torch.save writes them, or nearly. */
function pickledValue(draw: Draw, depth: number): p.Pickled {
  const inner = (): p.Pickled => pickledValue(draw, depth - 1);
  const shape = (): p.Pickled => p.tuple(...draw.list(3, () => (draw.chance(20) && depth > 0 ? inner() : size(draw))));
  switch (draw.integer(depth > 0 ? 12 : 5)) {
    case 0:
      return draw.pick([p.none, p.yes, p.emptyTuple, p.emptyList, p.emptyDict]);
    case 1:
      return size(draw);
    case 2:
      return p.str(draw.pick(['', 'a', 'weight', '\u00e9', '__proto__', 'storage']));
    case 3:
      return [...p.str('x'), 0x71, draw.integer(4)];
    case 4:
      return [0x68, draw.integer(4)];
    case 5:
      return p.tuple(...draw.list(3, inner));
    case 6:
      return p.list(...draw.list(3, inner));
    case 7:
      return p.dict(...draw.list(3, (): [p.Pickled, p.Pickled] => [inner(), inner()]));
    case 8:
      return p.call(p.global('collections', 'OrderedDict'), ...draw.list(1, inner));
    case 9:
      return p.call(p.global('torch', draw.pick(['Size', 'FloatStorage', 'float8_e5m2'])), ...draw.list(1, inner));
    case 10:
      return p.storage(
        draw.pick(['0', '1']),
        draw.integer(5),
        draw.pick(storageTypes),
        draw.chance(4) ? inner() : p.none,
      );
    default:
      return p.call(
        p.global('torch._utils', draw.pick(['_rebuild_tensor_v2', '_rebuild_tensor', '_rebuild_tensor_v3'])),
        ...[draw.chance(9) ? inner() : p.storage('0', 4), size(draw), shape(), shape(), p.no, p.emptyDict],
      );
  }
}

function stateDict(draw: Draw): Uint8Array {
  const entries = draw.list(3, (): [p.Pickled, p.Pickled] => [
    draw.chance(5) ? pickledValue(draw, 2) : p.str(draw.pick(['a', 'b', 'weight'])),
    draw.chance(2)
      ? p.tensor(p.storage(draw.pick(['0', '1']), 4), { shape: [draw.integer(5)], offset: draw.integer(3) })
      : pickledValue(draw, 4),
  ]);
  const dict = Uint8Array.from(p.dict(...entries));
  const bomb = p.repeated(repeats(draw), draw.pick([[0x32], [0x94], [0x5d], [0x7d], [0x28], [0x85], [0x68, 0]]));
  return draw.chance(8) ? Uint8Array.from(Buffer.concat([dict, bomb])) : dict;
}

function pickleFile(draw: Draw): Uint8Array {
  const object = stateDict(draw);
  const bytes = new Uint8Array(16);
  if (draw.chance(2)) {
    const keys = draw.pick([['0'], ['0', '1'], ['1'], []]);
    return p.legacyFile(
      object,
      keys.map((key) => ({ key, elements: 4, bytes })),
    );
  }
  const files: Record<string, Uint8Array | string> = { 'm/data.pkl': p.pickle(object), 'm/data/0': bytes };
  if (draw.chance(2)) files['m/data/1'] = bytes;
  if (draw.chance(5)) files['m/byteorder'] = draw.pick(['little', 'big', '']);
  if (draw.chance(20)) files['n/data.pkl'] = p.pickle(object);
  return p.zipFile(files, { zip64: draw.chance(2), method: draw.chance(20) ? 8 : 0 });
}

function headerText(draw: Draw): string {
  let end = 0;
  const entries = draw.list(3, (): [string, unknown] => {
    const shape = draw.list(3, () => (draw.chance(9) ? draw.json(1) : draw.integer(4)));
    const start = end;
    end += 4 * shape.reduce((product: number, value) => product * Number(value), 1);
    const offsets = draw.chance(8) ? draw.json(2) : [start, end];
    const dtype = draw.chance(8) ? draw.json(1) : draw.pick(['F32', 'I32', 'F4', 'U8']);
    return [draw.text(), draw.chance(12) ? draw.json(3) : { dtype, shape, data_offsets: offsets }];
  });
  if (draw.chance(5)) entries.push(['__metadata__', draw.chance(2) ? { format: 'pt' } : draw.json(2)]);
  const text = JSON.stringify(Object.fromEntries(entries));
  const bomb = draw.pick(['[', '{"a":', '[],', '{},', '"a":1,', ' ', '\\u00']).repeat(repeats(draw));
  return draw.chance(6) ? text.slice(0, -1) + bomb + draw.pick(['}', ']']) : text;
}

function safetensorsFile(draw: Draw): Uint8Array {
  const text = new TextEncoder().encode(headerText(draw));
  const bytes = new Uint8Array(8 + text.length + draw.pick([0, 4, 16, 64]));
  new DataView(bytes.buffer).setBigUint64(0, BigInt(draw.chance(9) ? Math.abs(draw.integer(1e6)) : text.length), true);
  bytes.set(text, 8);
  return bytes;
}

function ggufModel(draw: Draw): Uint8Array {
  const uint = (value: number): GgufEntry => ({ type: 4, value: draw.chance(30) ? draw.integer(2 ** 32) : value });
  const architecture = draw.chance(12) ? draw.text() : draw.pick(['llama', 'mistral', 'qwen2', 'qwen3']);
  const metadata: Record<string, GgufEntry> = {
    'general.architecture': { type: 8, value: architecture },
    [`${architecture}.embedding_length`]: uint(8),
    [`${architecture}.feed_forward_length`]: uint(8),
    [`${architecture}.block_count`]: uint(1),
    [`${architecture}.context_length`]: uint(64),
    [`${architecture}.attention.head_count`]: uint(draw.pick([1, 2, 4])),
    'tokenizer.ggml.model': { type: 8, value: 'gpt2' },
    'tokenizer.ggml.tokens': { type: 9, itemType: 8, value: draw.list(4, () => 'a') },
  };
  if (draw.chance(3)) {
    const type = draw.integer(14);
    metadata[draw.text()] = { type, value: type === 8 ? '' : type === 9 ? [] : 1, itemType: draw.integer(14) };
  }
  if (draw.chance(6)) metadata[draw.pick(Object.keys(metadata))] = { type: draw.pick([0, 7, 12]), value: 1 };
  const bomb = repeats(draw) % 50_000;
  if (bomb > 10)
    metadata['bomb'] = draw.chance(2)
      ? { type: 9, itemType: 8, value: Array(bomb).fill('') }
      : { type: 9, itemType: 0, value: Array(bomb).fill(0) };
  const tensors: Record<string, GgufTensorEntry> = {};
  for (const name of draw.list(4, () => draw.pick(ggufNames))) {
    const [type, elements, bytes] = draw.pick([
      [0, 1, 4],
      [1, 1, 2],
      [2, 32, 18],
      [3, 32, 20],
      [8, 32, 34],
      [12, 256, 144],
      [14, 256, 210],
    ] as const);
    const dims = draw.chance(12)
      ? [draw.integer(2 ** 20), draw.integer(2 ** 20)]
      : [elements * draw.pick([1, 2]), draw.pick([1, 4, 8])];
    const count = draw.chance(8) ? draw.integer(9) : (dims[0]! / elements) * dims[1]!;
    tensors[name] = {
      dims,
      type: draw.chance(30) ? draw.integer(40) : type,
      bytes: new Uint8Array(Math.min(4096, Math.ceil(count)) * bytes),
    };
  }
  return ggufFile({ metadata, tensors, version: draw.chance(30) ? draw.integer(5) : 3 });
}

const ggufNames = [
  'token_embd.weight',
  'blk.0.attn_q.weight',
  'blk.0.attn_k.weight',
  'blk.1.ffn_up.weight',
  'rope_freqs.weight',
  'x',
];

/** Every reader of this package, with files that are nearly right. */
export const hubFuzzTargets: readonly FuzzTarget[] = [
  {
    name: 'pickle',
    isOwn,
    prepare: (draw) => {
      const bytes = draw.chance(3) ? pickleFile(draw) : damaged(draw, pickleFile(draw));
      return async () => readAll(await openPyTorchCheckpoint(bufferSource(bytes, 'x.bin')));
    },
  },
  {
    name: 'safetensors',
    isOwn,
    prepare: (draw) => {
      const bytes = draw.chance(3) ? damaged(draw, safetensorsFile(draw)) : safetensorsFile(draw);
      return async () => readAll(await openSafetensors(bufferSource(bytes, 'x.safetensors')));
    },
  },
  {
    name: 'gguf',
    isOwn,
    prepare: (draw) => {
      const bytes = draw.chance(3) ? damaged(draw, ggufModel(draw)) : ggufModel(draw);
      return async () => {
        const files = await ggufFiles(bufferSource(bytes, 'x.gguf'));
        if (files.gguf.metadata.has('tokenizer.ggml.model')) ggufTokenizer(files.gguf);
        const checkpoint = await openCheckpoint(files);
        for (const name of checkpoint.names()) await checkpoint.read(name);
      };
    },
  },
  {
    name: 'checkpoint',
    isOwn,
    prepare: (draw) => {
      const shard = (...names: string[]): Uint8Array =>
        serializeSafetensors(names.map((name) => ({ name, dtype: 'U8', shape: [2], bytes: new Uint8Array(2) })));
      const places: Record<string, unknown> = { a: 'a.safetensors', weight: 'a.safetensors', b: 'b.safetensors' };
      if (draw.chance(4))
        places[draw.text()] = draw.chance(2) ? draw.json(1) : draw.pick(['../a', '/a', 'a.safetensors']);
      const index = draw.chance(9) ? draw.json(3) : { metadata: { total_size: 6 }, weight_map: places };
      const text = new TextEncoder().encode(JSON.stringify(index) ?? '');
      const files = memoryFiles('x', {
        'model.safetensors.index.json': draw.chance(4) ? damaged(draw, text) : text,
        'a.safetensors': draw.chance(4) ? damaged(draw, shard('a', 'weight')) : shard('a', 'weight'),
        'b.safetensors': draw.chance(6) ? safetensorsFile(draw) : shard('b'),
      });
      return async () => {
        const checkpoint = await openCheckpoint(files);
        for (const name of checkpoint.names()) await checkpoint.read(name);
      };
    },
  },
];
