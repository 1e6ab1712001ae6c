import { UsageError } from '@qlora-js/cli';

/** Which of a study's trainings a process does: the `index`th of every `count`, from 1. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** `K/N`, as `vitest --shard` takes it; everything where it is left out. */
export function parseShard(text: string | undefined): Shard {
  if (text === undefined) return { index: 1, count: 1 };
  const [index, count] = /^([1-9]\d*)\/([1-9]\d*)$/.exec(text)?.slice(1).map(Number) ?? [];
  if (index === undefined || count === undefined || index > count)
    throw new UsageError('USAGE', `--shard is K/N with 1 <= K <= N, as in 2/4, not ${JSON.stringify(text)}`, {
      value: text,
    });
  return { index, count };
}

/** The trainings of a shard: neighbours fall to different ones, since neighbours take equally long. */
export function inShard<Training>(trainings: readonly Training[], { index, count }: Shard): Training[] {
  return trainings.filter((_, place) => place % count === index - 1);
}
