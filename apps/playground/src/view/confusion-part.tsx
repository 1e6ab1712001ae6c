import { useState } from 'preact/hooks';
import type { Look } from '../worker/protocol';
import { percent, whole } from './format';

/** Labels up to which the whole matrix is drawn; of more, the pairs that are mixed up alone. */
const MATRIX_LABELS = 40;
/** Pairs that are listed. */
const PAIRS = 20;
/** Texts behind a cell that are listed. */
const TEXTS = 30;

interface Cell {
  readonly label: number;
  readonly predicted: number;
}

/** The confusion matrix, with the texts behind each cell. */
export function ConfusionPart({ look }: { look: Look }) {
  const [cell, choose] = useState<Cell | undefined>(undefined);
  const pairs = mixedUp(look);
  return (
    <>
      {look.labels.length <= MATRIX_LABELS && <Matrix look={look} cell={cell} />}
      {pairs.length === 0 ? (
        <p>Every test text gets its right label.</p>
      ) : (
        <ul class="pairs" data-testid="pairs">
          {pairs.slice(0, PAIRS).map((pair) => (
            <li key={`${pair.label} ${pair.predicted}`}>
              <button
                type="button"
                class="small"
                aria-pressed={cell?.label === pair.label && cell.predicted === pair.predicted}
                onClick={() => choose(pair)}
              >
                {whole(look.confusion[pair.label]![pair.predicted]!)} × {look.labels[pair.label]} taken for{' '}
                {look.labels[pair.predicted]}
              </button>
            </li>
          ))}
        </ul>
      )}
      {pairs.length > PAIRS && <p class="muted">And {whole(pairs.length - PAIRS)} more pairs.</p>}
      <div aria-live="polite">{cell !== undefined && <Texts look={look} cell={cell} />}</div>
    </>
  );
}

/** Pairs of different labels, the most frequent first. */
function mixedUp({ confusion }: Look): Cell[] {
  const pairs = confusion.flatMap((row, label) =>
    row.flatMap((count, predicted) => (count > 0 && label !== predicted ? [{ label, predicted }] : [])),
  );
  const count = ({ label, predicted }: Cell): number => confusion[label]![predicted]!;
  return pairs.sort((one, other) => count(other) - count(one));
}

/** The whole matrix as a picture; the list beside it says the same in words and can be used without seeing. */
function Matrix({ look: { labels, confusion }, cell }: { look: Look; cell: Cell | undefined }) {
  const size = labels.length;
  const most = Math.max(1, ...confusion.flat());
  const right = confusion.reduce((sum, row, id) => sum + row[id]!, 0);
  const all = confusion.flat().reduce((sum, count) => sum + count, 0);
  return (
    <figure class="chart matrix">
      <figcaption>Rows: the right label. Columns: what the model says.</figcaption>
      <svg
        viewBox={`0 0 ${size} ${size}`}
        role="img"
        aria-label={`Confusion matrix of ${size} labels: ${percent(all === 0 ? 0 : right / all)} lie on the diagonal.`}
      >
        {confusion.flatMap((row, label) =>
          row.map((count, predicted) => (
            <rect
              key={`${label} ${predicted}`}
              class={`${label === predicted ? 'right' : 'wrong'}${cell?.label === label && cell.predicted === predicted ? ' chosen' : ''}`}
              x={predicted + 0.04}
              y={label + 0.04}
              width={0.92}
              height={0.92}
              fill-opacity={count === 0 ? 0 : 0.25 + (0.75 * count) / most}
            >
              <title>
                {labels[label]} taken for {labels[predicted]}: {count}
              </title>
            </rect>
          )),
        )}
      </svg>
    </figure>
  );
}

function Texts({ look, cell: { label, predicted } }: { look: Look; cell: Cell }) {
  const rows = look.rows.filter((row) => row.label === label && row.predicted === predicted);
  return (
    <div data-testid="cell-texts">
      <p>
        {look.labels[label]}, taken for {look.labels[predicted]}:
      </p>
      <ul class="texts">
        {rows.slice(0, TEXTS).map(({ text, probability }) => (
          <li key={text}>
            {text} <span class="label">{percent(probability, 0)} sure</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
