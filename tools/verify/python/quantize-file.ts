// Quantises every tensor of a safetensors file, for check_quant.py.
// usage: tsx --conditions=@qlora-js/source tools/verify/python/quantize-file.ts INPUT OUTPUT CASES
// CASES is a JSON list of { name, input, quantType, blocksize, doubleQuant, dtype }; OUTPUT holds each case's tensors
// under its name, and what they stand for, float32, under NAME.dequantized.
import { readFile, writeFile } from 'node:fs/promises';
import { bufferSource, openSafetensors, serializeSafetensors, toFloat32, type StoredTensor } from '@qlora-js/hub';
import { dequantizeArray, quantizeArray, quantStateToTensors, type QuantizeOptions } from '@qlora-js/quant';

interface Case extends QuantizeOptions {
  readonly name: string;
  readonly input: string;
}

const [inputPath = '', outputPath = '', cases = '[]'] = process.argv.slice(2);
const file = await openSafetensors(bufferSource(new Uint8Array(await readFile(inputPath)), inputPath));
const written: StoredTensor[] = [];
for (const { name, input, ...options } of JSON.parse(cases) as Case[]) {
  const stored = await file.read(input);
  const quantized = quantizeArray(toFloat32(stored), stored.shape, { ...options, name: input });
  written.push(...(quantStateToTensors(name, quantized) as StoredTensor[]));
  const bytes = new Uint8Array(dequantizeArray(quantized).buffer);
  written.push({ name: `${name}.dequantized`, dtype: 'F32', shape: stored.shape, bytes });
}
await writeFile(outputPath, serializeSafetensors(written));
