import { type Plugin } from 'vite';

/** Where shaders are written, as template literals that no minifier looks into. */
const SHADERS = /packages\/kernels\/src\/.*\.ts$/;

/** Takes indentation and lines of comments out of shaders; WGSL needs neither. */
export function shortShaders(): Plugin {
  return {
    name: 'short-shaders',
    apply: 'build',
    enforce: 'pre',
    transform: (code, id) =>
      SHADERS.test(id) && !id.endsWith('.generated.ts')
        ? { code: code.replace(/\n[ \t]*\/\/[^\n]*/g, '\n').replace(/\n\s+/g, '\n'), map: null }
        : null,
  };
}
