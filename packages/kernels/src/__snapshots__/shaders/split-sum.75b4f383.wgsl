// split sum {"bias":false,"transposed":true,"workgroupSize":256,"rank":8,"innerParts":1,"masked":true,"slope":"linear","residual":false,"dropout":false}

struct Uniforms { size: u32, columns: u32, splits: u32, factorScale: f32, keepScale: f32, threshold: u32, site: u32, dropoutScale: f32 }
@group(0) @binding(0) var<storage, read> partial: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> product: array<vec4f>;
@group(0) @binding(2) var<storage, read> inner: array<vec4f>;
@group(0) @binding(3) var<storage, read> factor: array<vec4f>;
@group(0) @binding(4) var<storage, read> keepBits: array<u32>;
@group(0) @binding(5) var<uniform> uniforms: Uniforms;

fn keptOf(word: u32, at: u32) -> vec4<bool> {
  return ((vec4u(word >> ((at & 7u) * 4u)) >> vec4u(0u, 1u, 2u, 3u)) & vec4u(1u)) != vec4u(0u);
}
fn keepsOf(at: u32) -> vec4<bool> { return keptOf(keepBits[at >> 3u], at); }

fn summed(i: u32) -> vec4f {
  var sum = partial[i];
  for (var s = 1u; s < uniforms.splits; s++) { sum += partial[s * uniforms.size + i]; }
  
  
  let row = i / uniforms.columns;
  let column = i % uniforms.columns;
  var term = vec4f();
  for (var q = 0u; q < 2u; q++) {
    var a = vec4f();
    for (var part = 0u; part < 1u; part++) { a += inner[(part * (uniforms.size / uniforms.columns) + row) * 2u + q]; }
    term += a[0] * factor[(q * 4u + 0u) * uniforms.columns + column]; term += a[1] * factor[(q * 4u + 1u) * uniforms.columns + column]; term += a[2] * factor[(q * 4u + 2u) * uniforms.columns + column]; term += a[3] * factor[(q * 4u + 3u) * uniforms.columns + column];
  }
  term *= uniforms.factorScale;
  sum += select(vec4f(), term * uniforms.keepScale, keepsOf(i));
  
  
  
  return sum;
}
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (workgroup.y * workgroups.x + workgroup.x) * 256u + lane;
  if (i >= uniforms.size) { return; }
  product[i] = summed(i);
}
