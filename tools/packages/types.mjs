// Every entry's types under node16, nodenext and bundler, with and without the DOM's, nothing skipped in our own.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { consumer } from './installs.mjs';
import { entriesOf, isRequirable, root, run } from './workspace.mjs';

const RESOLUTIONS = { node16: 'node16', nodenext: 'nodenext', bundler: 'preserve' };
const LIBRARIES = { 'with the DOM': ['ES2023', 'DOM', 'DOM.Iterable'], 'without the DOM': ['ES2023'] };

export function checkTypes({ packages, tarballs, folder, report }) {
  const install = packages.map(({ manifest }) => manifest.name);
  const more = { dependencies: { '@webgpu/types': '*', '@types/node': '^20' } };
  const { path, ok, text } = consumer({ folder, name: 'types', tarballs, install, more });
  if (!ok) return report('types: install', text);
  const sourceOf = (list) =>
    list
      .flatMap(entriesOf)
      .map((entry, i) => `import * as e${i} from '${entry}';\nexport const k${i}: object = e${i};\n`)
      .join('');
  writeFileSync(join(path, 'all.mts'), sourceOf(packages));
  writeFileSync(join(path, 'all.cts'), sourceOf(packages.filter(isRequirable)));
  for (const [resolution, module] of Object.entries(RESOLUTIONS)) {
    for (const [label, lib] of Object.entries(LIBRARIES)) {
      const config = {
        compilerOptions: {
          module,
          moduleResolution: resolution,
          lib,
          types: ['node', '@webgpu/types'],
          target: 'ES2022',
          strict: true,
          noEmit: true,
          skipLibCheck: false,
        },
        files: resolution === 'bundler' ? ['all.mts'] : ['all.mts', 'all.cts'],
      };
      mkdirSync(path, { recursive: true });
      writeFileSync(join(path, 'tsconfig.json'), JSON.stringify(config));
      const { text: output } = run(join(root, 'node_modules/.bin/tsc'), ['-p', '.', '--pretty', 'false'], {
        cwd: path,
      });
      // tfjs' own declarations want the DOM; what counts is ours, and what an importer sees.
      const ours = output.split('\n').filter((line) => /^(all\.|node_modules\/@qlora-js\/)/.test(line));
      report(
        `types under ${resolution} ${label}`,
        ours.length === 0 ? '' : `${ours.length} errors: ${ours.slice(0, 3).join('\n  ')}`,
      );
    }
  }
}
