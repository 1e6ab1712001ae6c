// No dependency, file or export that nothing uses, and none used that no manifest names (knip).
import { join } from 'node:path';
import { root, run, tail } from './workspace.mjs';

export function checkUnused({ report }) {
  const config = join(root, 'tools/packages/knip.config.mjs');
  const options = ['--config', config, '--no-progress', '--no-config-hints', '--reporter', 'symbols'];
  const { ok, text } = run(join(root, 'node_modules/.bin/knip'), options, { cwd: root });
  report('unused dependencies, files and exports', ok ? '' : tail(text, 60));
}
