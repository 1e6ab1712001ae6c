import type { WasmKernel } from '../../engine/op';
import type { RotaryBackwardInputs, RotaryGradients, RotaryHeads, RotaryInputs } from './types';

export const wasmRotary: WasmKernel<RotaryInputs, RotaryHeads> = (
  { q, k, v, positions, table },
  { heads, keyValueHeads },
  wasm,
) => {
  const [rows = 0, headSize = 0] = [q.shape[0], table.shape[1]];
  const y = wasm.output([rows, (heads + 2 * keyValueHeads) * headSize]);
  wasm.call.rotary({
    q: wasm.pointer(q),
    k: wasm.pointer(k),
    v: wasm.pointer(v),
    positions: wasm.pointer(positions),
    table: wasm.pointer(table),
    rows,
    heads,
    keyHeads: keyValueHeads,
    headDim: headSize,
    y: wasm.pointer(y),
  });
  return y;
};

export const wasmRotaryBackward: WasmKernel<RotaryBackwardInputs, RotaryHeads, RotaryGradients> = (
  { dy, positions, table },
  { heads, keyValueHeads },
  wasm,
) => {
  const [rows = 0, headSize = 0] = [dy.shape[0], table.shape[1]];
  const dq = wasm.output([rows, heads * headSize]);
  const [dk, dv] = [0, 1].map(() => wasm.output([rows, keyValueHeads * headSize]));
  wasm.call.rotaryBackward({
    dy: wasm.pointer(dy),
    positions: wasm.pointer(positions),
    table: wasm.pointer(table),
    rows,
    heads,
    keyHeads: keyValueHeads,
    headDim: headSize,
    dq: wasm.pointer(dq),
    dk: wasm.pointer(dk),
    dv: wasm.pointer(dv),
  });
  return { q: dq, k: dk!, v: dv! };
};
