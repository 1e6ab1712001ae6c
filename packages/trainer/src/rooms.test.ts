import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';
import { describe, expect, it } from 'vitest';
import { dialect } from '../../../tools/lint/dialect.mjs';
import { testingIsForTests, trainerRooms } from '../../../tools/lint/rooms.mjs';

const eslint = new ESLint({
  cwd: new URL('../../..', import.meta.url).pathname,
  overrideConfigFile: true,
  overrideConfig: [
    { files: ['**/*.ts'], languageOptions: { parser: tseslint.parser } },
    dialect,
    testingIsForTests,
    ...(trainerRooms as never[]),
  ],
});

const messagesOf = async (filePath: string, text: string): Promise<string[]> => {
  const [result] = await eslint.lintText(text, { filePath });
  return result!.messages.map(({ message }) => message);
};

describe("the trainer's rooms", () => {
  it.each([
    ['steps/recipe.ts', '../loop/trainer'],
    ['steps/recipe.ts', '../replicas/replicas'],
    ['model/losses.ts', '../steps/gradients'],
    ['checkpoints/keeper.ts', '../evaluation/evaluate'],
    ['loop/trainer.ts', '../node/stop-signals'],
    ['replicas/serve.ts', '../testing/runs'],
  ])('%s may not import %s', async (file, from) => {
    const planted = `import { x } from '${from}';\nexport const y = x;\n`;
    expect(await messagesOf(`packages/trainer/src/${file}`, planted)).toEqual([
      expect.stringContaining('imports go from later rooms to earlier ones'),
    ]);
  });

  it.each(['packages/trainer/src/steps/recipe.ts', 'packages/optim/src/groups/groups.ts'])(
    '%s may not import what tests share',
    async (file) => {
      const planted = `import { x } from '@qlora-js/kernels/testing';\nexport const y = x;\n`;
      expect(await messagesOf(file, planted)).toEqual([expect.stringContaining('no build holds it')]);
      expect(await messagesOf(file.replace('.ts', '.test.ts'), planted)).toEqual([]);
    },
  );

  it('may import from earlier ones, and in tests from all', async () => {
    const planted = (from: string): string => `import { x } from '${from}';\nexport const y = x;\n`;
    expect(await messagesOf('packages/trainer/src/loop/trainer.ts', planted('../steps/recipe'))).toEqual([]);
    expect(await messagesOf('packages/trainer/src/steps/x.test.ts', planted('../loop/trainer'))).toEqual([]);
  });
});

describe('the dialect of all packages', () => {
  const OWN = 'packages/optim/src/groups/groups.ts';

  it.each([
    ["throw new Error('no');", /package's own error/],
    ["throw new RangeError('no');", /package's own error/],
    ["throw new OptimError('bad-argument', 'no');", /in capitals/],
    ["export type OptimErrorCode = 'BAD_STATE' | 'over-budget';", /in capitals/],
    ['export class Held { #state = 1; }', /declared `private`/],
  ])('%s is refused', async (planted, message) => {
    expect(await messagesOf(OWN, planted)).toEqual([expect.stringMatching(message)]);
    expect(await messagesOf(OWN.replace('.ts', '.test.ts'), planted)).toEqual([]);
  });

  it.each([
    "throw new OptimError('BAD_ARGUMENT', 'no', { cause: new Error('why') });",
    "export type OptimErrorCode = 'BAD_STATE' | 'OVER_BUDGET';",
    'export class Held { private readonly state = 1; }',
  ])('%s is not', async (text) => {
    expect(await messagesOf(OWN, text)).toEqual([]);
  });
});
