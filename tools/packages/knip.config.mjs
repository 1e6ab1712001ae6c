/** The modules that a README's examples import; tests and check:packages run them. */
const examples = (text) =>
  [...text.matchAll(/```(?:ts|js)\n([\s\S]*?)```/g)]
    .flatMap(([, code]) => [...code.matchAll(/(?:from|import\() ?'([^'.][^']*)'/g)])
    .map(([, specifier]) => `import '${specifier}';`)
    .join('\n');

const entry = ['src/**/*.{test,bench,real-data}.ts', 'README.md'];
const project = ['src/**/*.ts'];

/** What `npx knip -c tools/packages/knip.config.mjs` looks at. */
export default {
  compilers: { md: examples },
  // Types of a function's own file stand beside it in its declaration.
  ignoreExportsUsedInFile: { interface: true, type: true },
  workspaces: {
    '.': {
      entry: ['tools/**/*.{ts,mjs}', 'README.md'],
      project: ['tools/**/*.{ts,mjs}'],
      ignoreDependencies: [
        // Run as commands, or read as files, by tools/packages and tools/check-browser.
        '@arethetypeswrong/cli',
        'publint',
        'axe-core',
        // nx' own plug-ins: its releases and graphs load them.
        '@nx/devkit',
        '@nx/js',
        // What kernels open a GPU with in Node, an optional peer of theirs.
        'webgpu',
        // What the page's components are compiled for.
        'preact',
      ],
      ignoreBinaries: ['nvidia-smi'],
    },
    'packages/*': { entry, project },
    // Packages of an example alone: its install line names them, and the package itself does not lean on them.
    'packages/base-mini': {
      entry,
      project,
      ignoreDependencies: ['@qlora-js/gpt2', '@qlora-js/kernels', '@qlora-js/tokenize-gpt2'],
    },
    'packages/gpt2': { entry, project, ignoreDependencies: ['@qlora-js/base-mini', '@qlora-js/tokenize-gpt2'] },
    // Its entry for those who have tensors imports these optional peers.
    'packages/metrics': { entry, project, ignoreDependencies: ['@qlora-js/kernels', '@tensorflow/tfjs-core'] },
    'apps/*': { project: ['src/**/*.{ts,tsx}'] },
  },
};
