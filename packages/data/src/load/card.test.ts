import { expect, it } from 'vitest';
import { classNamesOfCard } from './card';

const card = (features: string): string => `---\ndataset_info:\n  features:\n${features}\n---\ntext\n`;

it('finds the names of classes, in lists too, in the order of their ids', async () => {
  const names = await classNamesOfCard(
    card(`  - name: label
    dtype:
      class_label:
        names:
          '1': good
          '0': bad
  - name: tags
    sequence:
      class_label:
        names: [x, y]`),
  );
  expect([...names]).toEqual([
    ['label', ['bad', 'good']],
    ['tags', ['x', 'y']],
  ]);
});

it('has none where ids are missing, and refuses front matter that is no YAML or unfolds', async () => {
  expect(await classNamesOfCard(card("  - name: l\n    dtype: {class_label: {names: {'0': a, '2': b}}}"))).toEqual(
    new Map(),
  );
  expect(await classNamesOfCard('# class_label')).toEqual(new Map());
  await expect(classNamesOfCard('---\nclass_label: [\n---\n')).rejects.toMatchObject({ code: 'MALFORMED_CARD' });
  await expect(classNamesOfCard('---\na: &a [class_label]\nb: [*a, *a]\n---\n')).rejects.toMatchObject({
    code: 'MALFORMED_CARD',
  });
});
