import { expect, it } from 'vitest';
import { resumeCommand } from './train';

it.each([
  ['qlora train --data a.csv', 'qlora train --data a.csv --resume'],
  ['qlora train --overwrite --data a.csv', 'qlora train --data a.csv --resume'],
  ['qlora train --resume checkpoint-4 --output-dir run', 'qlora train --output-dir run --resume'],
  ["qlora train --resume 'my run' --seed 3", 'qlora train --seed 3 --resume'],
  ['qlora train --resume --seed 3', 'qlora train --seed 3 --resume'],
  ['qlora train --output-dir my--overwrite', 'qlora train --output-dir my--overwrite --resume'],
])('%s is gone on with by %s', (command, wanted) => {
  expect(resumeCommand(command)).toBe(wanted);
});
