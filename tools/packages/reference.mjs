// The API reference by typedoc, in .cache/reference: every export of every entry has its text, and every link of it a target.
import { join } from 'node:path';
import { Application, LogLevel } from 'typedoc';
import { privateEntries, root } from './workspace.mjs';

const DOCUMENTED = [
  ...['Function', 'Class', 'Interface', 'TypeAlias', 'Variable'],
  ...['Property', 'Method', 'Accessor', 'Enum', 'EnumMember'],
];

export async function checkReference({ packages, report }) {
  const entryPoints = packages.flatMap((item) =>
    Object.entries(item.manifest.exports)
      .filter(([entry]) => !entry.endsWith('.json') && !privateEntries(item).includes(entry))
      .map(([, targets]) => join(item.path, targets['@qlora-js/source'])),
  );
  const application = await Application.bootstrap({
    name: 'qlora.js',
    entryPoints,
    tsconfig: join(root, 'tsconfig.json'),
    readme: 'none',
    disableGit: true,
    sourceLinkTemplate: 'https://github.com/qlora-js/qlora.js/blob/main/{path}#L{line}',
    // Types are checked by tsc, over the same program.
    skipErrorChecking: true,
    excludePrivate: true,
    excludeInternal: true,
    excludeExternals: true,
    requiredToBeDocumented: DOCUMENTED,
    validation: { notDocumented: true, invalidLink: true, notExported: false },
  });
  const warnings = [];
  application.logger.level = LogLevel.Warn;
  application.logger.log = (message, level) => level >= LogLevel.Warn && warnings.push(message);
  application.logger.addContext = (message) => message;
  const project = await application.convert();
  if (project === undefined) return report('API reference', warnings.join('\n  '));
  application.validate(project);
  report('API reference: texts', warnings.join('\n  '));
  await application.generateDocs(project, join(root, '.cache/reference'));
}
