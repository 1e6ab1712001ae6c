import { fileURLToPath } from 'node:url';

/** A module that further threads run: built beside this one, or the source, which Node needs tsx for. */
export function threadModule(name: 'replica' | 'predict-thread'): { module: URL; execArgv?: string[] } {
  if (!import.meta.url.endsWith('.ts')) return { module: new URL(`./${name}.js`, import.meta.url) };
  const typescript = fileURLToPath(new URL('../../../../tools/typescript.mjs', import.meta.url));
  return {
    module: new URL(`./${name}.ts`, import.meta.url),
    execArgv: ['--conditions=@qlora-js/source', '--import', typescript],
  };
}
