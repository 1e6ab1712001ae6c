// dequantize4bit {"nested":false}

struct Uniforms { size: u32, blockShift: u32, nestedBlocksize: u32, zero: u32 }
@group(0) @binding(0) var<storage, read> packed: array<u32>;
@group(0) @binding(1) var<storage, read> code: array<f32>;
@group(0) @binding(2) var<storage, read_write> values: array<f32>;
@group(0) @binding(3) var<storage, read> absmax: array<f32>;
@group(0) @binding(4) var<uniform> uniforms: Uniforms;

fn absmaxOf(block: u32) -> f32 { return absmax[block]; }


fn nibble(word: u32, element: u32) -> u32 {
  return (word >> ((element >> 1u) * 8u + 4u - (element & 1u) * 4u)) & 15u;
}

@compute @workgroup_size(128)
fn main(@builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32) {
  let i = (workgroup.y * workgroups.x + workgroup.x) * 128u + lane;
  let first = i * 8u;
  if (first >= uniforms.size) { return; }
  let word = packed[i];
  let scale = absmaxOf(first >> uniforms.blockShift);
  for (var e = 0u; e < min(8u, uniforms.size - first); e++) { values[first + e] = code[nibble(word, e)] * scale; }
}
