// split sum {"bias":false,"transposed":false,"workgroupSize":256,"rank":0,"innerParts":1,"masked":false,"slope":"linear","residual":false,"dropout":false}

struct Uniforms { size: u32, columns: u32, splits: u32, factorScale: f32, keepScale: f32, threshold: u32, site: u32, dropoutScale: f32 }
@group(0) @binding(0) var<storage, read> partial: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> product: array<vec4f>;
@group(0) @binding(2) var<uniform> uniforms: Uniforms;


fn summed(i: u32) -> vec4f {
  var sum = partial[i];
  for (var s = 1u; s < uniforms.splits; s++) { sum += partial[s * uniforms.size + i]; }
  
  
  
  
  
  
  return sum;
}
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (workgroup.y * workgroups.x + workgroup.x) * 256u + lane;
  if (i >= uniforms.size) { return; }
  product[i] = summed(i);
}
