// confusion {}

struct Uniforms { rows: u32, classes: u32 }
@group(0) @binding(0) var<storage, read_write> counts: array<atomic<i32>>;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<i32>;
@group(0) @binding(3) var<uniform> uniforms: Uniforms;
var<workgroup> best: array<u32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32) {
  let row = workgroup.y * workgroups.x + workgroup.x;
  if (row >= uniforms.rows) { return; }
  let start = row * uniforms.classes;
  var found = min(lane, uniforms.classes - 1u);
  for (var i = found + 64u; i < uniforms.classes; i += 64u) {
    if (logits[start + i] > logits[start + found]) { found = i; }
  }
  best[lane] = found;
  workgroupBarrier();
  if (lane != 0u) { return; }
  for (var i = 1u; i < min(64u, uniforms.classes); i++) {
    let other = best[i];
    let larger = logits[start + other] > logits[start + found];
    if (larger || (logits[start + other] == logits[start + found] && other < found)) { found = other; }
  }
  let label = labels[row];
  let classes = i32(uniforms.classes);
  let place = select(classes * classes, label * classes + i32(found), label >= 0 && label < classes);
  atomicAdd(&counts[place], 1);
}
