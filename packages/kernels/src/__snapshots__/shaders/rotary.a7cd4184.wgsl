// rotary {"vector":true,"backward":true}

struct Uniforms { rows: u32, heads: u32, keyHeads: u32, depth: u32, positions: u32 }
@group(0) @binding(0) var<storage, read> positions: array<i32>;
@group(0) @binding(1) var<storage, read> angles: array<vec4f>;
@group(0) @binding(2) var<storage, read> packed: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> queries: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> keys: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> values: array<vec4f>;
@group(0) @binding(6) var<uniform> uniforms: Uniforms;

fn notANumber(lane: u32) -> f32 { return bitcast<f32>(select(0x7fc00000u, 0u, lane > 0xfffffff0u)); }

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32) {
  let thread = (workgroup.y * workgroups.x + workgroup.x) * 256u + lane;
  let blocks = uniforms.heads + 2u * uniforms.keyHeads;
  let d = thread % uniforms.depth;
  let block = thread / uniforms.depth % blocks;
  let row = thread / uniforms.depth / blocks;
  if (row >= uniforms.rows) { return; }
  let at = (row * blocks + block) * 2u * uniforms.depth + d;
  let position = u32(positions[row]);
  let inside = position < uniforms.positions;
  let angle = select(0u, position, inside) * 2u * uniforms.depth + d;
  let cos = select(vec4f(notANumber(lane)), angles[angle], inside);
  let sin = select(vec4f(notANumber(lane)), angles[angle + uniforms.depth], inside);
  let first = packed[at]; let second = packed[at + uniforms.depth];
  if (block < uniforms.heads) {
    let own = (row * uniforms.heads + block) * 2u * uniforms.depth + d;
    queries[own] = first * cos + second * sin; queries[own + uniforms.depth] = second * cos - first * sin;
  } else if (block < uniforms.heads + uniforms.keyHeads) {
    let own = (row * uniforms.keyHeads + block - uniforms.heads) * 2u * uniforms.depth + d;
    keys[own] = first * cos + second * sin; keys[own + uniforms.depth] = second * cos - first * sin;
  } else {
    let own = (row * uniforms.keyHeads + block - uniforms.heads - uniforms.keyHeads) * 2u * uniforms.depth + d;
    values[own] = first; values[own + uniforms.depth] = second;
  }
}
