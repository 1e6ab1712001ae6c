import { useState } from 'preact/hooks';
import type { PageState } from '../state/page-state';
import type { Playground } from '../state/playground';
import type { Look, Slot } from '../worker/protocol';
import { CalibrationPart } from './calibration-part';
import { ConfusionPart } from './confusion-part';
import { percent, whole } from './format';
import { NormsPart } from './norms-part';
import { WeightBlockPart } from './weight-block-part';

/** What became of a training, from its test rows down to its weights. */
export function LookSection({ playground, state }: { playground: Playground; state: PageState }) {
  const done = (['a', 'b'] as const).filter((slot) => state.runs[slot]?.stage === 'done');
  const [chosen, choose] = useState<Slot>('a');
  const slot = done.includes(chosen) ? chosen : done[0];
  return (
    <section class="card" aria-labelledby="look-title">
      <h2 id="look-title">Look inside</h2>
      {slot === undefined ? (
        <p class="muted">
          After a training: which labels are mixed up, how sure the model is, and what its weights are.
        </p>
      ) : (
        <>
          {done.length > 1 && (
            <div class="buttons" role="group" aria-label="Which run">
              {done.map((each) => (
                <button key={each} type="button" aria-pressed={each === slot} onClick={() => choose(each)}>
                  Run {each.toUpperCase()}
                </button>
              ))}
            </div>
          )}
          <Tested key={slot} playground={playground} slot={slot} look={state.looks[slot]} />
          <NormsPart key={`norms-${slot}`} playground={playground} slot={slot} />
          <WeightBlockPart key={`block-${slot}`} playground={playground} slot={slot} />
        </>
      )}
    </section>
  );
}

function Tested({ playground, slot, look }: { playground: Playground; slot: Slot; look: Look | undefined }) {
  const [asked, ask] = useState(false);
  if (look === undefined) {
    return (
      <button
        type="button"
        disabled={asked}
        onClick={() => {
          ask(true);
          void playground.look(slot).finally(() => ask(false));
        }}
      >
        {asked ? 'Labelling the test texts …' : 'Look at the test texts'}
      </button>
    );
  }
  return (
    <>
      <h3>Which labels are mixed up</h3>
      <ConfusionPart look={look} />
      <h3>How sure it is</h3>
      <CalibrationPart look={look} />
      <details>
        <summary>Scores of each label</summary>
        <Scores look={look} />
      </details>
    </>
  );
}

function Scores({ look: { labels, scores } }: { look: Look }) {
  const order = [...labels.keys()].sort((one, other) => scores[one]!.f1 - scores[other]!.f1);
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Scores of each label">
      <table data-testid="scores">
        <thead>
          <tr>
            <th scope="col">Label</th>
            <th scope="col">F1</th>
            <th scope="col">Precision</th>
            <th scope="col">Recall</th>
            <th scope="col">Texts</th>
          </tr>
        </thead>
        <tbody>
          {order.map((id) => {
            const { f1, precision, recall, rows } = scores[id]!;
            return (
              <tr key={id}>
                <th scope="row">{labels[id]}</th>
                <td>{percent(f1)}</td>
                <td>{percent(precision)}</td>
                <td>{percent(recall)}</td>
                <td>{whole(rows)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
