// adamw step values {"controlled":true}

struct Uniforms { logBeta1: f32, logBeta2: f32 }
@group(0) @binding(0) var<storage, read> learningRate: array<f32>;
@group(0) @binding(1) var<storage, read_write> counter: array<f32>;
@group(0) @binding(2) var<storage, read_write> values: array<f32>;
@group(0) @binding(3) var<storage, read> control: array<f32>;
@group(0) @binding(4) var<uniform> uniforms: Uniforms;

fn oneMinusExp(x: f32) -> f32 {
  if (x < -1.0) { return 1.0 - exp(x); }
  var sum = 1.0;
  for (var n = 12.0; n > 1.0; n -= 1.0) { sum = 1.0 + sum * x / n; }
  return -x * sum;
}

@compute @workgroup_size(1)
fn main() {
  let t = counter[0] + 1.0;
  let gradientScale = control[0];
  let apply = control[1] != 0.0;
  values[0] = learningRate[0];
  values[1] = oneMinusExp(t * uniforms.logBeta1);
  values[2] = sqrt(oneMinusExp(t * uniforms.logBeta2));
  values[3] = t;
  values[4] = gradientScale;
  values[5] = select(0.0, 1.0, apply);
  counter[0] = select(counter[0], t, apply);
}
