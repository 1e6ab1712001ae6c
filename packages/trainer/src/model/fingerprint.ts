import type { Tensor } from '@tensorflow/tfjs-core';
import type { CollatableRow, Dataset, RowStream } from '@qlora-js/data';
import type { Module } from '@qlora-js/kernels';
import { Parameter4bit } from '@qlora-js/quant';
import { sha256 } from '../state/sha256';

/** Rows that are hashed at a time, so that a large data set is never copied whole. */
const ROWS_AT_A_TIME = 4096;

/** SHA-256 of what does not train in a model: names, shapes and values, 4-bit codes with their block maxima. */
export async function fingerprintFrozen(model: Module): Promise<string> {
  const lines: string[] = [];
  for (const [name, parameter] of model.namedParameters()) {
    if (parameter.requiresGrad || isOfAdapter(name)) continue;
    const tensors: Tensor[] = [parameter.value];
    if (parameter instanceof Parameter4bit) {
      const { absmax, offset, state2 } = parameter.quantized.state;
      tensors.push(absmax, ...[state2?.absmax, offset].filter((tensor) => tensor !== undefined));
    }
    for (const tensor of tensors) {
      lines.push(`${plainName(name)} [${parameter.shape.join()}] ${await sha256(bytesOf(await tensor.data()))}`);
    }
  }
  return sha256(new TextEncoder().encode(lines.join('\n')));
}

/** SHA-256 of the rows of data sets, in their order: token ids, masks and labels. Of a stream, what it says of itself. */
export async function fingerprintRows(
  ...datasets: readonly (Dataset<CollatableRow> | RowStream | undefined)[]
): Promise<string> {
  const hashes: string[] = [];
  for (const dataset of datasets) {
    if (dataset === undefined) continue;
    if ('rows' in dataset) {
      hashes.push(`stream of ${dataset.length} rows ${dataset.fingerprint}`);
      continue;
    }
    hashes.push(`${dataset.numRows} rows`);
    for (let start = 0; start < dataset.numRows; start += ROWS_AT_A_TIME) {
      const rows = Array.from({ length: Math.min(ROWS_AT_A_TIME, dataset.numRows - start) }, (_, i) =>
        dataset.row(start + i),
      );
      hashes.push(await sha256(new TextEncoder().encode(JSON.stringify(rows))));
    }
  }
  return sha256(new TextEncoder().encode(hashes.join('\n')));
}

/** Other adapters of the model are not what the active one was trained beside. */
function isOfAdapter(name: string): boolean {
  return name.includes('.lora_') || name.includes('.modules_to_save.');
}

/** Without the wrappers that an adapter puts around a layer. */
function plainName(name: string): string {
  return name.replaceAll('.base_layer.', '.').replaceAll('.original_module.', '.');
}

function bytesOf(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
