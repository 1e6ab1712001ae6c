import type { PageState } from '../state/page-state';
import type { Playground } from '../state/playground';
import type { DataSource, DataView } from '../worker/protocol';
import { NumberField } from './fields';
import { ProblemNote } from './problem-note';
import { whole } from './format';

/** The rows to train with. */
export function DataSection({ playground, state }: { playground: Playground; state: PageState }) {
  const { source, view, problem } = state.data;
  return (
    <section class="card" aria-labelledby="data-title">
      <h2 id="data-title">Data</h2>
      {source.kind === 'generated' && <Generated playground={playground} source={source} />}
      {problem !== undefined && <ProblemNote problem={problem} />}
      {view === undefined ? problem === undefined && <p>Reading …</p> : <View view={view} />}
    </section>
  );
}

function Generated({
  playground,
  source,
}: {
  playground: Playground;
  source: Extract<DataSource, { kind: 'generated' }>;
}) {
  return (
    <>
      <p>Questions to a bank, made up by this page, each with what it asks for.</p>
      <NumberField
        label="Questions a label"
        value={source.trainPerIntent}
        min={2}
        max={70}
        step={1}
        onChange={(trainPerIntent) => void playground.setData({ ...source, trainPerIntent })}
      />
    </>
  );
}

function View({ view }: { view: DataView }) {
  const { rows, labels, sample } = view;
  return (
    <>
      <p data-testid="data">
        {whole(rows.train)} texts to train with, {whole(rows.validation)} to choose by, {whole(rows.test)} to test with;{' '}
        {labels.length} labels.
      </p>
      <details>
        <summary>A few of the texts</summary>
        <ul class="texts">
          {sample.map(({ text, label }) => (
            <li key={text}>
              {text} <span class="label">{label}</span>
            </li>
          ))}
        </ul>
      </details>
    </>
  );
}
