import { defineConfig, type Options } from 'tsup';

/** The one build every package uses: ESM, CJS and declarations, dependencies left external. */
export function packageBuild(
  options: Pick<Options, 'entry' | 'loader' | 'format' | 'dts'>,
): ReturnType<typeof defineConfig> {
  return defineConfig({
    format: ['esm', 'cjs'],
    target: 'es2022',
    dts: { compilerOptions: { customConditions: [] } },
    clean: true,
    sourcemap: true,
    splitting: true,
    treeshake: true,
    ...options,
  });
}
