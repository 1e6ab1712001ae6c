import { linear, ticks } from '../charts/scale';
import type { Look } from '../worker/protocol';
import { percent, whole } from './format';

const SIZE = 260;
const EDGE = { low: 46, high: 26 };

/** How often the model is right where it says how sure it is. */
export function CalibrationPart({ look: { calibration, calibrationError } }: { look: Look }) {
  const x = linear([0, 1], [EDGE.low, SIZE - EDGE.high]);
  const y = linear([0, 1], [SIZE - EDGE.low, EDGE.high]);
  const most = Math.max(1, ...calibration.map(({ rows }) => rows));
  return (
    <figure class="chart calibration">
      <figcaption>
        On the line, it is right as often as it is sure. Mean distance: {percent(calibrationError)}.
      </figcaption>
      <svg
        viewBox={`0 0 ${SIZE} ${SIZE}`}
        role="img"
        aria-label={`Calibration. Mean distance from the line ${percent(calibrationError)}.`}
      >
        {ticks(0, 1, 4).map((tick) => (
          <g key={tick}>
            <line class="grid" x1={x(0)} x2={x(1)} y1={y(tick)} y2={y(tick)} />
            <text class="tick" x={x(0) - 6} y={y(tick)} text-anchor="end" dominant-baseline="central">
              {percent(tick, 0)}
            </text>
            <text class="tick" x={x(tick)} y={SIZE - 22} text-anchor="middle">
              {percent(tick, 0)}
            </text>
          </g>
        ))}
        <text class="tick" x={x(0.5)} y={SIZE - 4} text-anchor="middle">
          how sure
        </text>
        <line class="diagonal" x1={x(0)} y1={y(0)} x2={x(1)} y2={y(1)} />
        {calibration.map(({ confidence, accuracy, rows }) => (
          <circle key={confidence} class="bin" cx={x(confidence)} cy={y(accuracy)} r={3 + 9 * Math.sqrt(rows / most)} />
        ))}
      </svg>
      <details>
        <summary>
          Values<span class="hidden"> of the calibration</span>
        </summary>
        <table>
          <thead>
            <tr>
              <th scope="col">Sure</th>
              <th scope="col">Right</th>
              <th scope="col">Texts</th>
            </tr>
          </thead>
          <tbody>
            {calibration.map(({ confidence, accuracy, rows }) => (
              <tr key={confidence}>
                <th scope="row">{percent(confidence)}</th>
                <td>{percent(accuracy)}</td>
                <td>{whole(rows)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}
