// The rooms of packages/kernels/src, from the lowest up: a room imports from those before it in this list.
const ROOMS = [
  ['errors'],
  ['formats', 'random'],
  ['tfjs'],
  ['wasm', 'webgpu'],
  ['engine'],
  ['blocks', 'optimizers'],
  ['four-bit'],
  ['products'],
  ['ops'],
  ['device'],
  ['nn', 'plan'],
  ['testing'],
];

const SOURCES = 'packages/kernels/src';
const TESTS = ['**/*.test.ts', '**/*.bench.ts'];

/** An import of a room, from however deep. */
const into = (rooms) => `^(\\.\\./)+(${rooms.join('|')})(/|$)`;

const restrict = (patterns) => ({
  'no-restricted-imports': ['error', { patterns: patterns.map(([regex, message]) => ({ regex, message })) }],
});

const PRIVATE = [
  '^\\.\\./[a-z][^/]*/.+',
  'an op takes another op from its index.ts; what several ops need lies in a room below ops (see ARCHITECTURE.md)',
];

/** Patterns that a room's files may not import: every room beside it and above it. */
function above(room) {
  const level = ROOMS.findIndex((rooms) => rooms.includes(room));
  const others = [...ROOMS[level].filter((other) => other !== room), ...ROOMS.slice(level + 1).flat()];
  return others.length === 0 ? [] : [[into(others), `${room}/ lies below this room (see ARCHITECTURE.md)`]];
}

/** ESLint's configuration of the rooms: imports point down, and an op's private files are its own. */
export const kernelRooms = [
  ...ROOMS.flat()
    .filter((room) => room !== 'errors')
    .map((room) => ({
      files: [`${SOURCES}/${room}/**/*.ts`],
      ignores: TESTS,
      rules: restrict(room === 'ops' ? [...above(room), PRIVATE] : above(room)),
    })),
  {
    // An oracle may build on another oracle, and a test on the references of other ops.
    files: [`${SOURCES}/ops/*/reference.ts`],
    rules: restrict([...above('ops'), ['^\\.\\./[a-z][^/]*/(?!reference$).+', PRIVATE[1]]]),
  },
];
