/** An entry that no build holds: what tests share. */
const TESTING = {
  regex: '^@qlora-js/kernels/testing$',
  message: 'what tests share is there for tests alone: no build holds it.',
};

/** Sources that are built may not import what tests share. */
export const testingIsForTests = {
  files: ['packages/*/src/**/*.ts'],
  ignores: ['**/*.test.ts', '**/*.bench.ts', '**/testing/**'],
  rules: { 'no-restricted-imports': ['error', { patterns: [TESTING] }] },
};

/**
 * Lint blocks that have the folders of a package import in one direction: each from those before it alone.
 *
 * @param {{ folder: string, order: readonly string[] }} options `folder` holds the rooms, by a path from the workspace's root
 */
export function rooms({ folder, order }) {
  return order.flatMap((room, index) => {
    const later = order.slice(index + 1);
    if (later.length === 0) return [];
    return [
      {
        files: [`${folder}/${room}/**/*.ts`],
        // A test may look at whatever shows what it tests.
        ignores: ['**/*.test.ts'],
        rules: {
          'no-restricted-imports': [
            'error',
            {
              patterns: [
                TESTING,
                {
                  regex: `^(\\.\\./)+(${later.join('|')})/`,
                  message: `${room} comes before ${later.join(', ')}: imports go from later rooms to earlier ones.`,
                },
              ],
            },
          ],
        },
      },
    ];
  });
}

/** The trainer's rooms, in the order in which a run passes them. */
export const trainerRooms = rooms({
  folder: 'packages/trainer/src',
  order: [
    'state',
    'arguments',
    'model',
    'callbacks',
    'checkpoints',
    'steps',
    'replicas',
    'evaluation',
    'loop',
    'node',
    'testing',
  ],
});
