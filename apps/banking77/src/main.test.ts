import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const TYPESCRIPT = fileURLToPath(new URL('../../../tools/typescript.mjs', import.meta.url));
const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const SOURCES = ['--conditions=@qlora-js/source', '--import', TYPESCRIPT, MAIN];

function run(...words: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...SOURCES, ...words], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

describe('the example', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'banking77-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("has the reference's settings and figures by default", () => {
    const { stdout } = run('--print-config');
    const values = Object.fromEntries(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.split(/ {2,}/).slice(0, 2) as [string, string]),
    );
    expect(values).toMatchObject({
      trials: '5',
      loraR: '16',
      loraAlpha: '32',
      loraDropout: '0.1',
      evalSteps: '100',
      loggingSteps: '50',
      warmupSteps: '100',
      maxLength: '128',
      outputDir: '"./final_qlora_dialogpt_nf4"',
      previousAccuracy: '0.93',
      previousF1: '0.93',
      previousTokensPerSec: '90000',
      previousMemoryGib: '7.2',
    });
  });

  it('trains, compares with the reference, and labels texts with what it saved', () => {
    const rows = ['lost,my card is lost', 'rate,what is the exchange rate', 'pin,change my pin'].flatMap((row) => {
      const [label, text] = row.split(',') as [string, string];
      return Array.from({ length: 12 }, (_, i) => `"${text} ${'please '.repeat(i % 4)}${i}",${label}`);
    });
    const data = join(folder, 'queries.csv');
    const out = join(folder, 'out');
    writeFileSync(data, `text,label\n${rows.join('\n')}\n`);
    const words = `--data ${data} --output-dir ${out} --backend wasm --max-length 32 --trials 0 --num-train-epochs 1 --no-progress`;
    const { status, stdout, stderr } = run(...words.split(' '));
    expect(stderr).not.toContain('error');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^test_accuracy [01]\.\d+/m);
    expect(stdout).toMatch(/^test accuracy +0\.9300 +[01]\.\d{4} +[-+]\d/m);
    expect(readdirSync(out)).toEqual(
      expect.arrayContaining(['adapter_config.json', 'adapter_model.safetensors', 'README.md']),
    );
    const predicted = run(
      'predict',
      '--adapter',
      out,
      '--backend',
      'wasm',
      '--top-k',
      '3',
      '--json',
      'my card is lost',
    );
    const { labels } = JSON.parse(predicted.stdout) as { labels: { label: string }[] };
    expect(labels.map(({ label }) => label).sort()).toEqual(['lost', 'pin', 'rate']);
  });
});
