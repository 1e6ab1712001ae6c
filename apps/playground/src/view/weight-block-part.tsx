import { useEffect, useState } from 'preact/hooks';
import { linear } from '../charts/scale';
import type { Playground } from '../state/playground';
import type { BlockChoice, Slot, WeightBlock } from '../worker/protocol';
import { ChoiceField, NumberField } from './fields';
import { figure } from './format';

const WIDTH = 480;
const HEIGHT = 170;
const TYPES: readonly { readonly value: BlockChoice['quantType']; readonly name: string }[] = [
  { value: 'nf4', name: 'NF4' },
  { value: 'fp4', name: 'FP4' },
  { value: 'int4', name: 'INT4' },
];

/** What 4 bits make of a block of trained weights. */
export function WeightBlockPart({ playground, slot }: { playground: Playground; slot: Slot }) {
  const [tensors, setTensors] = useState<readonly string[]>([]);
  const [choice, choose] = useState<BlockChoice | undefined>(undefined);
  const [block, setBlock] = useState<WeightBlock | undefined>(undefined);
  useEffect(
    () =>
      void playground.ask(slot, 'tensors').then(
        (names) => {
          setTensors(names);
          choose({ tensor: names[0]!, block: 0, quantType: 'nf4' });
        },
        () => undefined,
      ),
    [playground, slot],
  );
  useEffect(() => {
    if (choice !== undefined) void playground.block(slot, choice).then(setBlock, () => undefined);
  }, [playground, slot, choice]);
  if (choice === undefined) return null;
  return (
    <>
      <h3>What 4 bits keep of weights</h3>
      <p class="muted">
        64 trained weights share one scale. Each becomes the nearest of 16 values, the marks below; lines show how far
        it moves.
      </p>
      <div class="fields">
        <ChoiceField
          label="Weights"
          value={choice.tensor}
          choices={tensors.map((name) => ({ value: name, name: name.replace(/^base_model\.model\./, '') }))}
          onChange={(tensor) => choose({ ...choice, tensor, block: 0 })}
        />
        <NumberField
          label="Block"
          value={choice.block}
          min={0}
          max={(block?.blocks ?? 1) - 1}
          step={1}
          onChange={(number) => choose({ ...choice, block: number })}
        />
        <ChoiceField
          label="Code book"
          value={choice.quantType}
          choices={TYPES}
          onChange={(quantType) => choose({ ...choice, quantType })}
        />
      </div>
      {block !== undefined && <Drawing block={block} name={choice.quantType.toUpperCase()} />}
    </>
  );
}

function Drawing({ block: { values, kept, levels, absmax, error }, name }: { block: WeightBlock; name: string }) {
  const x = linear([-absmax, absmax], [14, WIDTH - 14]);
  const y = linear([0, values.length], [12, HEIGHT - 34]);
  return (
    <figure class="chart" data-testid="block">
      <figcaption>
        Largest {figure(absmax)}, typical error {figure(error)}
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={`${values.length} weights in ${name}: the largest is ${figure(absmax)}, the typical error ${figure(error)}.`}
      >
        {levels.map((level) => (
          <line key={level} class="level" x1={x(level)} x2={x(level)} y1={4} y2={HEIGHT - 24} />
        ))}
        {values.map((value, index) => (
          <g key={index}>
            <line class="moved" x1={x(value)} x2={x(kept[index]!)} y1={y(index)} y2={y(index)} />
            <circle class="weight" cx={x(value)} cy={y(index)} r="1.9" />
          </g>
        ))}
        {[-absmax, 0, absmax].map((value) => (
          <text
            key={value}
            class="tick"
            x={x(value)}
            y={HEIGHT - 6}
            text-anchor={value < 0 ? 'start' : value > 0 ? 'end' : 'middle'}
          >
            {figure(value)}
          </text>
        ))}
      </svg>
      <details>
        <summary>
          Values<span class="hidden"> of the block</span>
        </summary>
        <div class="scroll" tabIndex={0} role="region" aria-label="Weights of the block">
          <table>
            <thead>
              <tr>
                <th scope="col">Weight</th>
                <th scope="col">Trained</th>
                <th scope="col">In 4 bits</th>
              </tr>
            </thead>
            <tbody>
              {values.map((value, index) => (
                <tr key={index}>
                  <th scope="row">{index + 1}</th>
                  <td>{figure(value)}</td>
                  <td>{figure(kept[index]!)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  );
}
