import { expect, it } from 'vitest';
import { policy } from '../build/content-security-policy';

it('asks the own origin and the named hub, and loads scripts from the own origin alone', () => {
  const directives = new Map(
    policy(['https://hub.example'])
      .split('; ')
      .map((line) => line.split(/ (.*)/) as [string, string]),
  );
  expect(directives.get('connect-src')).toBe("'self' https://hub.example");
  expect(directives.get('script-src')).toBe("'self' 'wasm-unsafe-eval'");
  expect(directives.get('default-src')).toBe("'none'");
});
