/** Notes whether something was found as it is expected. */
export type Check = (name: string, found: unknown, expected: unknown) => void;
