// loss scale {}

struct Uniforms { growthFactor: f32, backoffFactor: f32, growthInterval: f32 }
@group(0) @binding(0) var<storage, read_write> scale: array<f32>;
@group(0) @binding(1) var<storage, read_write> counts: array<f32>;
@group(0) @binding(2) var<storage, read> control: array<f32>;
@group(0) @binding(3) var<uniform> uniforms: Uniforms;

@compute @workgroup_size(1)
fn main() {
  if (control[1] == 0.0) {
    scale[0] = scale[0] * uniforms.backoffFactor;
    counts[0] = 0.0;
    counts[1] = counts[1] + 1.0;
    return;
  }
  let run = counts[0] + 1.0;
  if (run < uniforms.growthInterval) {
    counts[0] = run;
    return;
  }
  let grown = scale[0] * uniforms.growthFactor;
  if ((bitcast<u32>(grown) & 0x7f800000u) != 0x7f800000u) { scale[0] = grown; }
  counts[0] = 0.0;
}
