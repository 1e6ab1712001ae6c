import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');

const kernels = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => /^(ops|products)\/.*\.ts$/.test(file) && !/\.(test|bench)\.ts$/.test(file))
  .map((file): [file: string, text: string] => [file, readFileSync(join(import.meta.dirname, file), 'utf8')])
  .filter(([, text]) => text.includes('shaderVariants('));

describe('the head of each kernel', () => {
  it('is looked for where kernels are', () => expect(kernels.length).toBeGreaterThan(25));

  it.each(kernels)('%s says its idea, its cost, and of what it measured the file', (_, text) => {
    const head = text.slice(0, text.indexOf('import '));
    expect(head).toMatch(/^\/\/ Idea: /);
    expect(head).toMatch(/^\/\/ Cost: /m);
    // A figure without a file that a command wrote is hearsay.
    const files = [...head.matchAll(/bench\/results\/[\w.-]+\.json/g)].map(([file]) => file);
    expect(/\b(H200|TFLOP\/s|TB\/s|us)\b/.test(head)).toBe(files.length > 0);
    for (const file of files) expect(existsSync(join(ROOT, file)), file).toBe(true);
  });
});
