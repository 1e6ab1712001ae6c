import type { RecordedBinding } from '../commands';
import { joinedLabel, type Draft } from './draft';
import { linkModules, type Linked } from './link';
import { remembered } from './remembered';
import { renameIn, type Declaration, type ShaderText } from './shader-text';

/**
 * The shader of `reader` with the values of a buffer that it reads made on the way, by what `maker` computes one with: the
 * buffer is written as before, and whatever else reads it finds it. Undefined where the two don't say that they can.
 */
export function joinIntoReader(maker: Draft, reader: Draft): Draft | undefined {
  const { makes } = maker.joining;
  const made = maker.text.declarations.find(({ name }) => name === makes?.buffer);
  const target = boundAt(maker, made?.binding);
  if (makes === undefined || target === undefined) return undefined;
  const taken = reader.text.declarations.find(({ kind, binding }) => {
    const other = kind === 'storage' ? boundAt(reader, binding) : undefined;
    return other?.buffer === target.buffer && other.offset === target.offset;
  });
  const by = taken === undefined ? undefined : reader.joining.takes?.[taken.name];
  const first = reader.text.declarations.find(({ name }) => name === by);
  if (taken === undefined || first === undefined) return undefined;
  if (reader.text.declarations.some(({ name }) => name === makes.buffer)) return undefined;

  const { text, bindings } = remembered([maker.text, reader.text], `${makes.buffer} as ${taken.name}`, () =>
    joinTexts(maker, reader, taken, first),
  );
  return {
    kind: 'dispatch',
    label: joinedLabel([maker.label, reader.label]),
    joining: {},
    workgroups: reader.workgroups,
    text,
    bindings: [
      ...rebound(maker.bindings, bindings[0]!),
      ...rebound(
        reader.bindings.filter(({ binding }) => binding !== taken.binding),
        bindings[1]!,
      ),
    ],
  };
}

function joinTexts(
  maker: Draft,
  { text: reader }: Draft,
  taken: Declaration,
  first: Declaration,
): { text: ShaderText; bindings: Linked['bindings'] } {
  const { buffer, by } = maker.joining.makes!;
  const found = (text: string): string => renameIn(text, new Map([[taken.name, buffer]]));
  const others = reader.declarations.filter((declaration) => declaration !== taken && declaration !== first);
  const { directives, declarations, names, bindings } = linkModules([
    maker.text,
    { ...reader, declarations: others.map((each) => ({ ...each, text: found(each.text) })) },
  ]);
  const own = (text: string): string => renameIn(found(text), names[1]!);
  const type = own(/->\s*(\w+)/.exec(first.text)![1]!);
  const make = `fn ${first.name}(i: u32) -> ${type} {\n  let value = ${by}(i);\n  ${buffer}[i] = value;\n  return value;\n}`;
  return {
    text: {
      directives,
      declarations: [...declarations, { kind: 'other', name: first.name, text: make, binding: -1 }],
      main: { ...reader.main, body: own(reader.main.body) },
    },
    bindings,
  };
}

const boundAt = ({ bindings }: Draft, at: number | undefined): RecordedBinding | undefined =>
  bindings.find(({ binding }) => binding === at);

/** The bindings of a module under the numbers that linking gave them. */
export function rebound(bindings: readonly RecordedBinding[], to: ReadonlyMap<number, number>): RecordedBinding[] {
  return bindings.map((each) => ({ ...each, binding: to.get(each.binding)! }));
}
