// Writes a model's folder in 4 bits. usage: tsx --conditions=@qlora-js/source tools/python/quantize-folder.ts FROM TO [OPTIONS_JSON]
import { resolveModel, writeFolder } from '@qlora-js/hub/node';
import { quantizeCheckpoint, type QuantizeCheckpointOptions } from '@qlora-js/quant';

const [from, to, options = '{}'] = process.argv.slice(2);
if (from === undefined || to === undefined) throw new Error('usage: quantize-folder.ts FROM TO [OPTIONS_JSON]');
await writeFolder(
  to,
  await quantizeCheckpoint(await resolveModel(from), JSON.parse(options) as QuantizeCheckpointOptions),
);
