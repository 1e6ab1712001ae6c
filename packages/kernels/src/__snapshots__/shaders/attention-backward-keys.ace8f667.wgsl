// attention backward, keys {"headSize":16,"ownRows":32,"loopRows":32,"dropout":"none"}


struct Uniforms { rows: i32, heads: u32, keyHeads: u32, sequences: u32, keyStride: u32, scale: f32, threshold: u32, keepScale: f32, site: u32 }
@group(0) @binding(0) var<storage, read> qkv: array<vec4f>;
@group(0) @binding(1) var<storage, read> sequences: array<vec4i>;
@group(0) @binding(2) var<storage, read> dy: array<vec4f>;
@group(0) @binding(3) var<storage, read> lse: array<f32>;
@group(0) @binding(4) var<storage, read> deltas: array<f32>;
@group(0) @binding(5) var<storage, read_write> dqkv: array<vec4f>;
@group(0) @binding(6) var<uniform> uniforms: Uniforms;


struct Sequence { start: i32, count: i32, keyStart: i32, keyEnd: i32 }

// Kept within the rows, whatever the tensor says: nothing else stands between it and memory.
fn sequenceAt(index: u32) -> Sequence {
  let fields = sequences[index];
  let start = clamp(fields.x, 0, uniforms.rows);
  let count = clamp(fields.y, 0, uniforms.rows - start);
  let keyEnd = clamp(fields.w, 0, count);
  return Sequence(start, count, clamp(fields.z, 0, keyEnd), keyEnd);
}


fn readQkv(row: i32, part: u32, head: u32, d: u32) -> vec4f { return qkv[(u32(row) * (uniforms.heads + 2u * uniforms.keyHeads) + select(uniforms.heads + (part - 1u) * uniforms.keyHeads, 0u, part == 0u) + head) * 4u + d]; }

fn readDy(row: i32, part: u32, head: u32, d: u32) -> vec4f { return dy[(u32(row) * uniforms.heads + head) * 4u + d]; }

fn writeDqkv(row: i32, part: u32, head: u32, d: u32, value: vec4f) { dqkv[(u32(row) * (uniforms.heads + 2u * uniforms.keyHeads) + select(uniforms.heads + (part - 1u) * uniforms.keyHeads, 0u, part == 0u) + head) * 4u + d] = value; }
var<workgroup> keys: array<vec4f, 288>;
var<workgroup> values: array<vec4f, 288>;
var<workgroup> queries: array<vec4f, 288>;
var<workgroup> slopes: array<vec4f, 288>;
var<workgroup> keyWeights: array<vec4f, 288>;
var<workgroup> valueWeights: array<vec4f, 288>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let keyHead = workgroup.y;
  let group = uniforms.heads / uniforms.keyHeads;
  let sequence = sequenceAt(workgroup.z);
  let first = i32(workgroup.x) * 32;
  if (first >= sequence.count) { return; }
  let tx = lane % 8u;
  let ty = lane / 8u;
  let key = vec4i(first + i32(ty) * 4) + vec4i(0, 1, 2, 3);
  let usable = (key >= vec4i(sequence.keyStart)) & (key < vec4i(sequence.keyEnd));
  
  for (var e = lane; e < 256u; e += 64u) {
    let r = e / 8u;
    let d = e % 8u;
    let row = first + i32(r);
    var value = vec4f(0.0);
    if (row < sequence.count && d < 4u) { value = readQkv(sequence.start + row, 1u, keyHead, d); }
    keys[r * 9u + d] = value;
  }
  
  for (var e = lane; e < 256u; e += 64u) {
    let r = e / 8u;
    let d = e % 8u;
    let row = first + i32(r);
    var value = vec4f(0.0);
    if (row < sequence.count && d < 4u) { value = readQkv(sequence.start + row, 2u, keyHead, d); }
    values[r * 9u + d] = value;
  }
  var k = array<vec4f, 4>();
  var v = array<vec4f, 4>();
  // No query sees a key before keyStart or from keyEnd on; key j is seen by queries j and later.
  let anySeen = first < sequence.keyEnd && first + 32 > sequence.keyStart;
  let end = select(0, sequence.count, anySeen);
  for (var head = keyHead * group; head < (keyHead + 1u) * group; head++) {
  for (var t = first / 32 * 32; t < end; t += 32) {
    
  for (var e = lane; e < 256u; e += 64u) {
    let r = e / 8u;
    let d = e % 8u;
    let row = t + i32(r);
    var value = vec4f(0.0);
    if (row < sequence.count && d < 4u) { value = readQkv(sequence.start + row, 0u, head, d) * uniforms.scale; }
    queries[((r % 4u) * 8u + r / 4u) * 9u + d] = value;
  }
    
  for (var e = lane; e < 256u; e += 64u) {
    let r = e / 8u;
    let d = e % 8u;
    let row = t + i32(r);
    var value = vec4f(0.0);
    if (row < sequence.count && d < 4u) { value = readDy(sequence.start + row, 0u, head, d); }
    slopes[((r % 4u) * 8u + r / 4u) * 9u + d] = value;
  }
    workgroupBarrier();
    
  var s = array<vec4f, 4>();
  for (var d = 0u; d < 4u; d++) {
    let at = ty * 36u + d;
    let a0 = keys[at];
    let a1 = keys[at + 9u];
    let a2 = keys[at + 18u];
    let a3 = keys[at + 27u];
    for (var c = 0u; c < 4u; c++) {
      let b = queries[(c * 8u + tx) * 9u + d];
      s[c] += vec4f(dot(a0, b), dot(a1, b), dot(a2, b), dot(a3, b));
    }
  }
    
  var dp = array<vec4f, 4>();
  for (var d = 0u; d < 4u; d++) {
    let at = ty * 36u + d;
    let a0 = values[at];
    let a1 = values[at + 9u];
    let a2 = values[at + 18u];
    let a3 = values[at + 27u];
    for (var c = 0u; c < 4u; c++) {
      let b = slopes[(c * 8u + tx) * 9u + d];
      dp[c] += vec4f(dot(a0, b), dot(a1, b), dot(a2, b), dot(a3, b));
    }
  }
    
    for (var c = 0u; c < 4u; c++) {
      let query = t + i32(tx * 4u + c);
      var logSum = 1e+30f;
      var delta = 0.0;
      if (query < sequence.count) {
        let index = u32(sequence.start + query) * uniforms.heads + head;
        logSum = lse[index];
        delta = deltas[index];
      }
      let seen = usable & (key <= vec4i(query)) & vec4<bool>(query < sequence.count);
      let p = select(vec4f(0.0), exp(s[c] - logSum), seen);
      keyWeights[(c * 8u + tx) * 9u + ty] = p * (dp[c] - delta);
      valueWeights[(c * 8u + tx) * 9u + ty] = p;
    }
    workgroupBarrier();
    
  for (var j = 0u; j < 32u; j++) {
    let weight = keyWeights[j * 9u + ty];
    for (var step = 0u; step < 1u; step++) {
      let b = queries[j * 9u + tx + step * 8u];
      for (var r = 0u; r < 4u; r++) { k[step * 4u + r] += weight[r] * b; }
    }
  }
    
  for (var j = 0u; j < 32u; j++) {
    let weight = valueWeights[j * 9u + ty];
    for (var step = 0u; step < 1u; step++) {
      let b = slopes[j * 9u + tx + step * 8u];
      for (var r = 0u; r < 4u; r++) { v[step * 4u + r] += weight[r] * b; }
    }
  }
    workgroupBarrier();
  }
  }
  
  for (var r = 0u; r < 4u; r++) {
    let row = first + i32(ty * 4u + r);
    for (var step = 0u; step < 1u; step++) {
      let d = tx + step * 8u;
      if (row < sequence.count && d < 4u) { writeDqkv(sequence.start + row, 1u, keyHead, d, k[step * 4u + r]); }
    }
  }
  
  for (var r = 0u; r < 4u; r++) {
    let row = first + i32(ty * 4u + r);
    for (var step = 0u; step < 1u; step++) {
      let d = tx + step * 8u;
      if (row < sequence.count && d < 4u) { writeDqkv(sequence.start + row, 2u, keyHead, d, v[step * 4u + r]); }
    }
  }
}
