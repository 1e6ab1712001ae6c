import { expect, it } from 'vitest';
import { openDevice } from './open-device';

it('asks for wasmPaths where tfjs’ .wasm files are not found', async () => {
  await expect(openDevice({ backend: 'wasm', wasmPaths: '/no-such-folder/' })).rejects.toThrow(
    expect.objectContaining({
      code: 'NO_BACKEND',
      message: expect.stringMatching(/backend wasm.*deliver node_modules.*pass their address as wasmPaths/) as string,
    }),
  );
});
