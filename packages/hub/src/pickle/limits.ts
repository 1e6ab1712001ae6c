/**
 * Bounds on what a pickle may ask for, besides its budget of work and memory. A state dict of a 100-billion-parameter
 * model stays far below each of them.
 */
export const pickleLimits = {
  /** Bytes of one pickle: names and shapes only, the weights lie outside it. */
  bytes: 100_000_000,
  /** Nested marks, that is tuples and containers under construction. */
  marks: 1_000,
  /** Bytes of the name of a module or a global. */
  nameBytes: 1_000,
  /** Bytes of one big integer; torch.save's magic number has 10. */
  integerBytes: 64,
  /** Dimensions of a tensor; PyTorch itself stops at 64. */
  dimensions: 64,
} as const;

/** Steps and bytes of memory that building takes (measured on V8 of Node 20; see ReadBudget). */
export const pickleCosts = {
  /** Any opcode, with the value that it may push. */
  opcode: [1, 16],
  list: [3, 64],
  /** Besides its items. */
  tuple: [3, 64],
  dict: [5, 256],
  entry: [2, 48],
  memo: [2, 40],
  call: [3, 64],
  tensor: [10, 256],
  storage: [5, 256],
  zipEntry: [10, 320],
} as const;

/** What to do about a pickle that holds more than tensors. */
export const safeRemedy =
  'Only state dicts of plain tensors are read, and nothing in a pickle is run: in Python, save ' +
  'model.state_dict() with torch.save or safetensors.torch.save_file.';
