// What a package.json and a tarball must say and hold.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './workspace.mjs';

const REPOSITORY = 'https://github.com/qlora-js/qlora.js';
const LICENCES = { 'base-mini': '(Apache-2.0 AND CC-BY-SA-4.0 AND CDLA-Sharing-1.0)' };

export function checkManifests({ packages, tarballs, report }) {
  const licence = readFileSync(join(root, 'LICENSE'), 'utf8');
  for (const { name, path, manifest } of packages) {
    const wanted = {
      license: LICENCES[name] ?? 'Apache-2.0',
      author: 'qlora.js contributors',
      homepage: `${REPOSITORY}/tree/main/packages/${name}#readme`,
      repository: { type: 'git', url: `git+${REPOSITORY}.git`, directory: `packages/${name}` },
      bugs: { url: `${REPOSITORY}/issues` },
      publishConfig: { access: 'public', provenance: true },
    };
    for (const [key, value] of Object.entries(wanted)) {
      const same = JSON.stringify(manifest[key]) === JSON.stringify(value);
      report(
        `${name} ${key}`,
        same ? '' : `is ${JSON.stringify(manifest[key])}, but ${JSON.stringify(value)} is needed`,
      );
    }
    report(`${name} keywords`, manifest.keywords?.length >= 4 ? '' : 'there are fewer than four');
    const files = run('tar', ['-tzf', tarballs[manifest.name]]).text.split('\n');
    for (const file of ['package/LICENSE', 'package/README.md']) {
      report(`${name} ${file}`, files.includes(file) ? '' : 'is not in the tarball');
    }
    const copy = readFileSync(join(path, 'LICENSE'), 'utf8');
    report(`${name} LICENSE`, copy === licence ? '' : 'is not the text of the repository');
    const stray = files.filter((file) => /\.(test|bench)\.|\/reports\/|\/src\//.test(file));
    report(`${name} tarball`, stray.length === 0 ? '' : `holds ${stray.slice(0, 3).join(', ')}`);
  }
}
