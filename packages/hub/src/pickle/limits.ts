/**
 * Bounds on what a pickle may ask for. A state dict of a 100-billion-parameter model stays far below each of them; a
 * hostile file hits them before it hurts.
 */
export const pickleLimits = {
  /** Bytes of one pickle: names and shapes only, the weights lie outside it. */
  bytes: 100_000_000,
  /** Values on the machine's stack. */
  stack: 4_000_000,
  /** Nested marks, that is tuples and containers under construction. */
  marks: 1_000,
  /** Values in the memo. */
  memo: 8_000_000,
  /** Bytes of one big integer; torch.save's magic number has 10. */
  integerBytes: 64,
  /** Dimensions of a tensor; PyTorch itself stops at 64. */
  dimensions: 64,
} as const;

/** What to do about a pickle that holds more than tensors. */
export const safeRemedy =
  'Only state dicts of plain tensors are read, and nothing in a pickle is run: in Python, save ' +
  'model.state_dict() with torch.save or safetensors.torch.save_file.';
