// embedding {"vector":true,"half":false,"positioned":true}

struct Uniforms { threads: u32, columns: u32, tokens: u32, positionCount: u32 }
@group(0) @binding(0) var<storage, read> ids: array<u32>;
@group(0) @binding(1) var<storage, read> positions: array<u32>;
@group(0) @binding(2) var<storage, read> tokenTable: array<vec4f>;
@group(0) @binding(3) var<storage, read> positionTable: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(5) var<uniform> uniforms: Uniforms;

fn notANumber(lane: u32) -> f32 { return bitcast<f32>(select(0x7fc00000u, 0u, lane > 0xfffffff0u)); }

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32) {
  let i = (workgroup.y * workgroups.x + workgroup.x) * 256u + lane;
  if (i >= uniforms.threads) { return; }
  let row = i / uniforms.columns;
  let column = i % uniforms.columns;
  let id = ids[row];
  let position = positions[row];
  // A negative index is a large one here.
  if (id >= uniforms.tokens || position >= uniforms.positionCount) {
    y[i] = vec4f(notANumber(lane));
    return;
  }
  let at = id * uniforms.columns + column;
  y[i] = tokenTable[at] + positionTable[position * uniforms.columns + column];
}
