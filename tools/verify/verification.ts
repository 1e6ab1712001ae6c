/** What a verification found. */
export interface Findings {
  /** Checks that held. */
  readonly passed: number;
  /** Checks that did not; the command then ends with status 1. */
  readonly failed: number;
  /** Versions of the counterparts, as they call themselves. */
  readonly versions: Readonly<Record<string, string>>;
  /** What the documents quote. */
  readonly figures: Readonly<Record<string, unknown>>;
}

/** What a verification is given. */
export interface VerifyContext {
  /** The root of the repository. */
  readonly root: string;
  /** Words after the name on the command line. */
  readonly args: readonly string[];
  /** A folder of its own for what it installs or records: below `.cache/verify`, or below QLORA_VERIFY_CACHE. Kept. */
  readonly cache: string;
  /** Prints a line. */
  readonly log: (line: string) => void;
}

/**
 * One comparison with real counterparts: `npm run verify -- NAME`. To add one, put a file `names/NAME.ts` here whose
 * default export is a Verification; there is no list to add it to.
 *
 * ```ts
 * export default {
 *   summary: 'Node 20, 22 and 24 run every example',
 *   run: async ({ cache, root }) => {
 *     const folder = installNpm(cache, { node: '22.12.0' });   // install.ts: npm and Python, at pinned versions
 *     const version = capture(`${folder}/node_modules/.bin/node`, ['--version']);   // commands.ts
 *     return { passed: 1, failed: 0, versions: { node: version }, figures: {} };
 *   },
 * } satisfies Verification;
 * ```
 *
 * It installs what it needs, and throws where it can't: nothing is skipped. main.ts writes docs/verify/NAME.json with date,
 * machine, versions, counts and figures, and prints `N passed, N failed` as its last line.
 */
export interface Verification {
  /** One line for the list. */
  readonly summary: string;
  readonly run: (context: VerifyContext) => Promise<Findings>;
}
