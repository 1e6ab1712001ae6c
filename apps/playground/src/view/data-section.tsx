import { GENERATED, type PageState } from '../state/page-state';
import type { Playground } from '../state/playground';
import type { DataSource, DataView } from '../worker/protocol';
import { DropField } from './drop-field';
import { ChoiceField, NumberField } from './fields';
import { whole } from './format';
import { ProblemNote } from './problem-note';

type Dropped = Extract<DataSource, { kind: 'files' }>;

/** Errors of single rows, which can be left out. */
const ROW_ERRORS = ['EMPTY_TEXT', 'INVALID_ROW', 'MALFORMED_CSV', 'MALFORMED_JSON', 'UNKNOWN_LABEL'];

/** The rows to train with. */
export function DataSection({ playground, state }: { playground: Playground; state: PageState }) {
  const { source, view, problem } = state.data;
  return (
    <section class="card" aria-labelledby="data-title">
      <h2 id="data-title">Data</h2>
      {source.kind === 'generated' ? (
        <Generated playground={playground} source={source} />
      ) : (
        <p>
          {source.name}{' '}
          <button type="button" class="small" onClick={() => void playground.setData(GENERATED)}>
            Use made-up questions instead
          </button>
        </p>
      )}
      {problem !== undefined && (
        <>
          <ProblemNote problem={problem} />
          {source.kind === 'files' && !source.skipBadRows && ROW_ERRORS.includes(problem.code) && (
            <button type="button" onClick={() => void playground.setData({ ...source, skipBadRows: true })}>
              Leave such rows out
            </button>
          )}
        </>
      )}
      {view === undefined
        ? problem === undefined && <p>Reading …</p>
        : source.kind === 'files' && <Columns playground={playground} source={source} view={view} />}
      {view !== undefined && <View view={view} maxLength={state.settings.maxLength} />}
      <DropField
        label="Your own texts"
        hint="Drop or choose a CSV, JSONL or Parquet file with a column of texts and one of labels. It stays on this machine."
        accept=".csv,.tsv,.jsonl,.ndjson,.json,.parquet,.gz"
        onFiles={(name, files) => void playground.setData({ kind: 'files', name, files, skipBadRows: false })}
      />
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

function Columns({ playground, source, view }: { playground: Playground; source: Dropped; view: DataView }) {
  const choices = view.columnNames.map((name) => ({ value: name, name }));
  const { text, label } = view.columns;
  return (
    <div class="fields" data-testid="columns">
      <ChoiceField
        label="Texts"
        value={text}
        choices={choices}
        onChange={(textColumn) => void playground.setData({ ...source, textColumn, labelColumn: label })}
      />
      <ChoiceField
        label="Labels"
        value={label}
        choices={choices}
        onChange={(labelColumn) => void playground.setData({ ...source, textColumn: text, labelColumn })}
      />
    </div>
  );
}

function View({ view, maxLength }: { view: DataView; maxLength: number }) {
  const { rows, labels, sample, lengths, notes, problems } = view;
  return (
    <>
      <p data-testid="data">
        {whole(rows.train)} texts to train with, {whole(rows.validation)} to choose by, {whole(rows.test)} to test with;{' '}
        {labels.length} labels.
      </p>
      {lengths !== undefined && (
        <p data-testid="lengths">
          Half of the texts have {whole(lengths.median)} tokens or fewer, the longest {whole(lengths.max)};{' '}
          {lengths.cut === 0 ? 'none is' : `${whole(lengths.cut)} will be`} cut to {maxLength}.
        </p>
      )}
      {problems.length > 0 && (
        <ul class="warnings" data-testid="problems">
          {problems.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      )}
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
      <details>
        <summary>Rows of each label</summary>
        <div class="scroll" tabIndex={0} role="region" aria-label="Rows of each label">
          <table>
            <thead>
              <tr>
                <th scope="col">Label</th>
                <th scope="col">Train</th>
                <th scope="col">Choose</th>
                <th scope="col">Test</th>
              </tr>
            </thead>
            <tbody>
              {labels.map(({ label, train, validation, test }) => (
                <tr key={label}>
                  <th scope="row">{label}</th>
                  <td>{whole(train)}</td>
                  <td>{whole(validation)}</td>
                  <td>{whole(test)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
      {notes.length > 0 && (
        <details>
          <summary>How the file was read</summary>
          <ul class="texts">
            {notes.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}
