import { type CategoricalChoice, type Distribution } from '../../distribution/distribution';

/** A float as Python's repr has it: an exponent, of two digits at least, below 1e-4 and from 1e16 on. */
function floatText(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) {
    return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  }
  const text = String(value);
  return text.includes('.') ? text : `${text}.0`;
}

function choiceText(choice: CategoricalChoice): string {
  if (choice === null) return 'None';
  if (choice === true) return 'True';
  if (choice === false) return 'False';
  if (typeof choice === 'number') return Number.isInteger(choice) ? String(choice) : floatText(choice);
  const quote = choice.includes("'") && !choice.includes('"') ? '"' : "'";
  const escaped = choice
    .replaceAll('\\', '\\\\')
    .replaceAll(quote, `\\${quote}`)
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t');
  return quote + escaped + quote;
}

const boolean = (value: boolean) => (value ? 'True' : 'False');

/** A distribution as Python's `str` of Optuna's shows it: the key under which workers count points has it. */
export function distributionText(distribution: Distribution): string {
  if (distribution.kind === 'categorical') {
    const choices = distribution.choices.map(choiceText);
    return `CategoricalDistribution(choices=(${choices.join(', ')}${choices.length === 1 ? ',' : ''}))`;
  }
  const { kind, low, high, log, step } = distribution;
  if (kind === 'int') return `IntDistribution(high=${high}, log=${boolean(log)}, low=${low}, step=${step})`;
  const stepText = step === undefined ? 'None' : floatText(step);
  return `FloatDistribution(high=${floatText(high)}, log=${boolean(log)}, low=${floatText(low)}, step=${stepText})`;
}
