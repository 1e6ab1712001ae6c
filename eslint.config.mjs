import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';
import { dialect } from './tools/lint/dialect.mjs';
import { kernelRooms } from './tools/lint/kernel-rooms.mjs';
import { testingIsForTests, trainerRooms } from './tools/lint/rooms.mjs';

const layers = {
  app: ['*'],
  cli: [
    'finetune',
    'quant',
    'trainer',
    'hpo',
    'report',
    'terminal',
    'tracking',
    'hub',
    'lora',
    'gpt2',
    'llama',
    'optim',
    'data',
    'metrics',
    'tokenize-gpt2',
    'kernels',
  ],
  finetune: [
    'kernels',
    'quant',
    'lora',
    'gpt2',
    'llama',
    'optim',
    'data',
    'metrics',
    'tracking',
    'hub',
    'hpo',
    'tokenize-gpt2',
    'trainer',
    'base-mini',
    'report',
  ],
  trainer: ['kernels', 'quant', 'lora', 'gpt2', 'optim', 'data', 'metrics', 'tracking', 'hub'],
  lora: ['kernels', 'quant', 'hub'],
  gpt2: ['kernels', 'quant', 'hub'],
  llama: ['kernels', 'quant', 'hub', 'gpt2'],
  optim: ['kernels'],
  quant: ['kernels', 'hub'],
  kernels: [],
  metrics: ['kernels'],
  'tokenize-gpt2': ['read-budget'],
  data: [],
  hpo: [],
  hub: ['read-budget'],
  'read-budget': [],
  tracking: [],
  report: ['metrics', 'tracking'],
  terminal: ['tracking'],
  'base-mini': [],
};

const depConstraints = Object.entries(layers).map(([layer, allowed]) => ({
  sourceTag: `layer:${layer}`,
  onlyDependOnLibsWithTags: allowed.map((name) => (name === '*' ? '*' : `layer:${name}`)),
}));

export default tseslint.config(
  {
    ignores: [
      '**/dist/**',
      '**/reports/**',
      '**/node_modules/**',
      '**/*.mjs',
      '**/assembly/**',
      '**/*.generated.ts',
      // The READMEs' examples, which tests write, run and remove while lint may be running.
      '**/.readme-*/**',
    ],
  },
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    plugins: { '@nx': nx },
    languageOptions: { parserOptions: { project: ['tsconfig.json'], tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          enforceBuildableLibDependency: false,
          allow: ['^(\\.\\./)+tools/'],
          // Its entry for databases is loaded when one is opened; the rest comes along.
          checkDynamicDependenciesExceptions: ['^@qlora-js/hpo(/node)?$'],
          depConstraints,
        },
      ],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true, allowNullish: true },
      ],
    },
  },
  {
    // Adapters are held to PEFT's on a whole model.
    files: ['packages/lora/test/**/*.ts'],
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          enforceBuildableLibDependency: false,
          allow: ['^(\\.\\./)+tools/'],
          depConstraints: [
            {
              sourceTag: 'layer:lora',
              onlyDependOnLibsWithTags: [...layers.lora, 'gpt2'].map((name) => `layer:${name}`),
            },
          ],
        },
      ],
    },
  },
  dialect,
  testingIsForTests,
  ...trainerRooms,
  ...kernelRooms,
);
