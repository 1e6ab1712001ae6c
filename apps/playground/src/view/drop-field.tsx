import { useId, useState } from 'preact/hooks';

/** Files that a visitor may give. */
export interface DropFieldProps {
  readonly label: string;
  readonly hint: string;
  /** Endings of names, with their dots. */
  readonly accept: string;
  readonly disabled?: boolean;
  readonly onFiles: (name: string, files: Readonly<Record<string, Blob>>) => void;
}

/** A field for files: they can be dropped on it, or chosen with the keyboard. */
export function DropField({ label, hint, accept, disabled = false, onFiles }: DropFieldProps) {
  const id = useId();
  const [over, setOver] = useState(false);
  const take = (list: FileList | null | undefined): void => {
    const files = [...(list ?? [])];
    const [first] = files;
    if (disabled || first === undefined) return;
    onFiles(
      files.length === 1 ? first.name : `${files.length} files`,
      Object.fromEntries(files.map((file) => [file.name, file])),
    );
  };
  return (
    <div
      class={`drop${over ? ' over' : ''}`}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        take(event.dataTransfer?.files);
      }}
    >
      <label for={id}>{label}</label>
      <input
        id={id}
        type="file"
        multiple
        accept={accept}
        disabled={disabled}
        aria-describedby={`${id}-hint`}
        onChange={({ currentTarget }) => {
          take(currentTarget.files);
          // The same file may be chosen again after it was changed.
          currentTarget.value = '';
        }}
      />
      <span class="hint" id={`${id}-hint`}>
        {hint}
      </span>
    </div>
  );
}
