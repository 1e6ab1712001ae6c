// split sum {"bias":true,"transposed":false,"workgroupSize":256,"rank":8,"innerParts":1,"masked":false,"slope":"linear","residual":true,"dropout":false}

struct Uniforms { size: u32, columns: u32, splits: u32, factorScale: f32, keepScale: f32, threshold: u32, site: u32, dropoutScale: f32 }
@group(0) @binding(0) var<storage, read> partial: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> product: array<vec4f>;
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
@group(0) @binding(3) var<storage, read> inner: array<vec4f>;
@group(0) @binding(4) var<storage, read> factor: array<vec4f>;
@group(0) @binding(5) var<storage, read> residual: array<vec4f>;
@group(0) @binding(6) var<uniform> uniforms: Uniforms;


fn summed(i: u32) -> vec4f {
  var sum = partial[i];
  for (var s = 1u; s < uniforms.splits; s++) { sum += partial[s * uniforms.size + i]; }
  sum += bias[i % uniforms.columns];
  
  let row = i / uniforms.columns;
  let column = i % uniforms.columns;
  var term = vec4f();
  for (var q = 0u; q < 2u; q++) {
    var a = vec4f();
    for (var part = 0u; part < 1u; part++) { a += inner[(part * (uniforms.size / uniforms.columns) + row) * 2u + q]; }
    term += vec4f(dot(a, factor[(column * 4u + 0u) * 2u + q]), dot(a, factor[(column * 4u + 1u) * 2u + q]), dot(a, factor[(column * 4u + 2u) * 2u + q]), dot(a, factor[(column * 4u + 3u) * 2u + q]));
  }
  term *= uniforms.factorScale;
  sum += term;
  
  
  sum += residual[i];
  return sum;
}
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (workgroup.y * workgroups.x + workgroup.x) * 256u + lane;
  if (i >= uniforms.size) { return; }
  product[i] = summed(i);
}
