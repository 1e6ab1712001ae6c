import { fixturesFolder } from './fixtures';

if (fixturesFolder === undefined) {
  if (process.env['CI']) {
    throw new Error(
      'The golden fixtures are missing: set QLORA_FIXTURES to their folder. CI does not run without them.',
    );
  }
  console.warn('Tests against golden fixtures are skipped: set QLORA_FIXTURES to the folder that holds them.');
}
