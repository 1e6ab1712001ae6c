import { useState } from 'preact/hooks';
import type { PageState } from '../state/page-state';
import type { Playground } from '../state/playground';
import { isUnderWay } from '../state/run-state';
import type { Slot } from '../worker/protocol';
import { DropField } from './drop-field';
import { ProblemNote } from './problem-note';

/** The way of an adapter out of the page and back. */
export function KeepSection({ playground, state }: { playground: Playground; state: PageState }) {
  const { runs, loaded } = state;
  const done = (['a', 'b'] as const).filter((slot) => runs[slot]?.stage === 'done');
  return (
    <section class="card" aria-labelledby="keep-title">
      <h2 id="keep-title">Keep</h2>
      {done.length === 0 ? (
        <p class="muted">A trained adapter can be downloaded here, as the folder that PEFT reads.</p>
      ) : (
        <div class="buttons">
          {done.map((slot) => (
            <Download
              key={slot}
              playground={playground}
              slot={slot}
              name={done.length > 1 ? ` of run ${slot.toUpperCase()}` : ''}
            />
          ))}
        </div>
      )}
      <DropField
        label="An adapter of yours"
        hint="The zip file from here, or the files of its folder. It then labels the text that you try."
        accept=".zip,.json,.safetensors,.txt,.md"
        disabled={isUnderWay(runs.a)}
        onFiles={(name, files) => void playground.load(name, files)}
      />
      {loaded?.problem !== undefined && <ProblemNote problem={loaded.problem} />}
      {loaded !== undefined && loaded.problem === undefined && (
        <p data-testid="loaded">
          {loaded.adapter === undefined
            ? `Loading ${loaded.name} …`
            : `${loaded.name} is loaded: ${loaded.adapter.labels.length} labels.`}
        </p>
      )}
    </section>
  );
}

function Download({ playground, slot, name }: { playground: Playground; slot: Slot; name: string }) {
  const [packing, setPacking] = useState(false);
  const save = async (): Promise<void> => {
    setPacking(true);
    try {
      const address = URL.createObjectURL(await playground.download(slot));
      const link = Object.assign(document.createElement('a'), { href: address, download: 'adapter.zip' });
      link.click();
      // The browser has taken the Blob over by the end of the click.
      URL.revokeObjectURL(address);
    } finally {
      setPacking(false);
    }
  };
  return (
    <button type="button" disabled={packing} onClick={() => void save()}>
      {packing ? 'Packing …' : `Download the adapter${name}`}
    </button>
  );
}
