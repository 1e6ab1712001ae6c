import { expect, it } from 'vitest';
import { runReadmeExample } from '../../../tools/test/readme';

it('the example of the README runs', async () => {
  const printed = await runReadmeExample(import.meta.url);
  expect(printed).toEqual([
    // 65,536 codes, 2,048 absmax in 8 bits, 8 nested ones, an offset, tables of 16 and 256.
    `${65_536 + 2048 + 32 + 4 + 64 + 1024} bytes, 4.194 bits a parameter`,
    'largest error 0.00151',
    'h.0.mlp.c_fc.weight U8 [65536,1]',
    'h.0.mlp.c_fc.weight.absmax U8 [2048]',
    'h.0.mlp.c_fc.weight.nested_absmax F32 [8]',
    'h.0.mlp.c_fc.weight.nested_quant_map F32 [256]',
    'h.0.mlp.c_fc.weight.quant_map F32 [16]',
    'h.0.mlp.c_fc.weight.quant_state.bitsandbytes__nf4 U8 [170]',
    'loaded nf4 [256,512]',
  ]);
});
