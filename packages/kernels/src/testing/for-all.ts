import fc from 'fast-check';

/** Fixed, so that a run can be repeated; QLORA_TEST_SEED draws other cases. */
const SEED = Number(process.env['QLORA_TEST_SEED'] ?? 20240521);

/** Checks an asynchronous property on random cases; few, because each may compile shaders on a software GPU. */
export async function forAll<Case>(
  cases: fc.Arbitrary<Case>,
  check: (value: Case) => Promise<void>,
  runs = 12,
): Promise<void> {
  await fc.assert(fc.asyncProperty(cases, check), { seed: SEED, numRuns: runs, endOnFailure: true });
}
