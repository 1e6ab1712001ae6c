import { SILENT } from '@qlora-js/finetune';
import { expect, it, vi } from 'vitest';
import { doctor } from './doctor';

it('computes on wasm what the CPU backend computes, and says so', async () => {
  const printed: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line));
  const well = await doctor({ backend: 'wasm', selftest: true, json: true }, SILENT);
  log.mockRestore();
  const { device, selftest } = JSON.parse(printed[0]!) as {
    device: { backend: string };
    selftest: { shape: string; difference: number; milliseconds: number }[];
  };
  expect(device.backend).toBe('wasm');
  expect(selftest.map(({ shape }) => shape)).toEqual(['2 rows, 3 words', '8 rows, 12 words', '2 rows, 40 words']);
  for (const { difference, milliseconds } of selftest) {
    expect(difference).toBeLessThan(1e-3);
    expect(milliseconds).toBeGreaterThan(0);
  }
  expect(well).toBe(true);
  // The CPU backend takes most of a minute for its part.
}, 400_000);
