import { expect, it } from 'vitest';
import { HpoError } from '../../errors';
import { sha256 } from '../../random/sha256';
import { further } from '../../testing/optuna-further';
import { haltonPoint } from './halton';
import { distributionText } from './python-text';
import { sobolPoint } from './sobol';
import { categoricalDistribution, floatDistribution } from '../../distribution/distribution';

const { sequences } = further;

it("has scipy's Sobol points to the bit", () => {
  sequences.sobol.forEach((point, index) => expect(sobolPoint(index, 9)).toEqual(point));
  expect(sobolPoint(1001, 160)).toEqual(sequences.sobol_wide[0]);
});

it('refuses more dimensions than its table has', () => {
  expect(() => sobolPoint(0, 161)).toThrow(HpoError);
});

it("has scipy's Halton points to the bit", () => {
  sequences.halton.forEach((point, index) => expect(haltonPoint(index, 9)).toEqual(point));
  expect(haltonPoint(100_003, 3)).toEqual(sequences.halton_far[0]);
});

it('has the checksums of FIPS 180-4', () => {
  expect(sha256('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  expect(sha256('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  const long = 'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq';
  expect(sha256(long)).toBe('248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1');
});

it('shows distributions as Python does', () => {
  expect(distributionText(floatDistribution({ low: 1e-5, high: 2e16 }))).toBe(
    'FloatDistribution(high=2e+16, log=False, low=1e-05, step=None)',
  );
  expect(distributionText(categoricalDistribution(['a"', "it's", 1e-7, false]))).toBe(
    `CategoricalDistribution(choices=('a"', "it's", 1e-07, False))`,
  );
});
