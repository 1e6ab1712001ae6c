// lora weight gradients {"ranks":8,"masked":true,"activation":"linear"}

struct Uniforms { rows: u32, inputs: u32, outputs: u32, rank: u32, scaleA: f32, scaleB: f32, share: u32, inputBlocks: u32 }
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read> inner: array<vec4f>;
@group(0) @binding(3) var<storage, read> dInner: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> da: array<f32>;
@group(0) @binding(5) var<storage, read_write> db: array<f32>;
@group(0) @binding(6) var<storage, read> keepBits: array<u32>;
@group(0) @binding(7) var<uniform> uniforms: Uniforms;
var<workgroup> parts: array<vec4f, 1024>;

fn taken(at: u32) -> vec4f { return x[at]; }

fn kept(at: u32) -> vec4f {
  let bits = (vec4u(keepBits[at >> 3u] >> ((at & 7u) * 4u)) >> vec4u(0u, 1u, 2u, 3u)) & vec4u(1u);
  return select(vec4f(), taken(at), bits != vec4u(0u));
}
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let ofInputs = workgroup.x < uniforms.inputBlocks;
  let block = select(workgroup.x - uniforms.inputBlocks, workgroup.x, ofInputs);
  let width = select(uniforms.outputs, uniforms.inputs, ofInputs);
  let quad = lane % 16u;
  let group = lane / 16u;
  let column = block * 64u + quad * 4u;
  let rank0 = workgroup.y * 8u;
  let start = workgroup.z * uniforms.share;
  let end = select(start, min(start + uniforms.share, uniforms.rows), column < width);
  var sum0 = vec4f(); var sum1 = vec4f(); var sum2 = vec4f(); var sum3 = vec4f(); var sum4 = vec4f(); var sum5 = vec4f(); var sum6 = vec4f(); var sum7 = vec4f();
  if (ofInputs) {
    
    for (var row0 = start + group; row0 < end; row0 += 64u) {
      let row0 = min(row0 + 0u, end - 1u);
      let value0 = select(vec4f(), kept((row0 * width + column) / 4u), row0 + 0u < end);
      let row1 = min(row0 + 16u, end - 1u);
      let value1 = select(vec4f(), kept((row1 * width + column) / 4u), row0 + 16u < end);
      let row2 = min(row0 + 32u, end - 1u);
      let value2 = select(vec4f(), kept((row2 * width + column) / 4u), row0 + 32u < end);
      let row3 = min(row0 + 48u, end - 1u);
      let value3 = select(vec4f(), kept((row3 * width + column) / 4u), row0 + 48u < end);
      { let p = dInner[(row0 * uniforms.rank + rank0) / 4u + 0u]; sum0 += value0 * p[0]; sum1 += value0 * p[1]; sum2 += value0 * p[2]; sum3 += value0 * p[3]; }
      { let p = dInner[(row0 * uniforms.rank + rank0) / 4u + 1u]; sum4 += value0 * p[0]; sum5 += value0 * p[1]; sum6 += value0 * p[2]; sum7 += value0 * p[3]; }
      { let p = dInner[(row1 * uniforms.rank + rank0) / 4u + 0u]; sum0 += value1 * p[0]; sum1 += value1 * p[1]; sum2 += value1 * p[2]; sum3 += value1 * p[3]; }
      { let p = dInner[(row1 * uniforms.rank + rank0) / 4u + 1u]; sum4 += value1 * p[0]; sum5 += value1 * p[1]; sum6 += value1 * p[2]; sum7 += value1 * p[3]; }
      { let p = dInner[(row2 * uniforms.rank + rank0) / 4u + 0u]; sum0 += value2 * p[0]; sum1 += value2 * p[1]; sum2 += value2 * p[2]; sum3 += value2 * p[3]; }
      { let p = dInner[(row2 * uniforms.rank + rank0) / 4u + 1u]; sum4 += value2 * p[0]; sum5 += value2 * p[1]; sum6 += value2 * p[2]; sum7 += value2 * p[3]; }
      { let p = dInner[(row3 * uniforms.rank + rank0) / 4u + 0u]; sum0 += value3 * p[0]; sum1 += value3 * p[1]; sum2 += value3 * p[2]; sum3 += value3 * p[3]; }
      { let p = dInner[(row3 * uniforms.rank + rank0) / 4u + 1u]; sum4 += value3 * p[0]; sum5 += value3 * p[1]; sum6 += value3 * p[2]; sum7 += value3 * p[3]; }
    }
  } else {
    
    for (var row0 = start + group; row0 < end; row0 += 64u) {
      let row0 = min(row0 + 0u, end - 1u);
      let value0 = select(vec4f(), dy[(row0 * width + column) / 4u], row0 + 0u < end);
      let row1 = min(row0 + 16u, end - 1u);
      let value1 = select(vec4f(), dy[(row1 * width + column) / 4u], row0 + 16u < end);
      let row2 = min(row0 + 32u, end - 1u);
      let value2 = select(vec4f(), dy[(row2 * width + column) / 4u], row0 + 32u < end);
      let row3 = min(row0 + 48u, end - 1u);
      let value3 = select(vec4f(), dy[(row3 * width + column) / 4u], row0 + 48u < end);
      { let p = inner[(row0 * uniforms.rank + rank0) / 4u + 0u]; sum0 += value0 * p[0]; sum1 += value0 * p[1]; sum2 += value0 * p[2]; sum3 += value0 * p[3]; }
      { let p = inner[(row0 * uniforms.rank + rank0) / 4u + 1u]; sum4 += value0 * p[0]; sum5 += value0 * p[1]; sum6 += value0 * p[2]; sum7 += value0 * p[3]; }
      { let p = inner[(row1 * uniforms.rank + rank0) / 4u + 0u]; sum0 += value1 * p[0]; sum1 += value1 * p[1]; sum2 += value1 * p[2]; sum3 += value1 * p[3]; }
      { let p = inner[(row1 * uniforms.rank + rank0) / 4u + 1u]; sum4 += value1 * p[0]; sum5 += value1 * p[1]; sum6 += value1 * p[2]; sum7 += value1 * p[3]; }
      { let p = inner[(row2 * uniforms.rank + rank0) / 4u + 0u]; sum0 += value2 * p[0]; sum1 += value2 * p[1]; sum2 += value2 * p[2]; sum3 += value2 * p[3]; }
      { let p = inner[(row2 * uniforms.rank + rank0) / 4u + 1u]; sum4 += value2 * p[0]; sum5 += value2 * p[1]; sum6 += value2 * p[2]; sum7 += value2 * p[3]; }
      { let p = inner[(row3 * uniforms.rank + rank0) / 4u + 0u]; sum0 += value3 * p[0]; sum1 += value3 * p[1]; sum2 += value3 * p[2]; sum3 += value3 * p[3]; }
      { let p = inner[(row3 * uniforms.rank + rank0) / 4u + 1u]; sum4 += value3 * p[0]; sum5 += value3 * p[1]; sum6 += value3 * p[2]; sum7 += value3 * p[3]; }
    }
  }
  let line = lane / 64u;
  let place = block * 64u + lane % 64u;
  
  parts[(group * 4u + 0u) * 16u + quad] = sum0; parts[(group * 4u + 1u) * 16u + quad] = sum1; parts[(group * 4u + 2u) * 16u + quad] = sum2; parts[(group * 4u + 3u) * 16u + quad] = sum3;
  workgroupBarrier();
  {
    var total = 0.0;
    for (var g = 0u; g < 16u; g++) { total += parts[(g * 4u + line) * 16u + (lane % 64u) / 4u][lane & 3u]; }
    let rank = rank0 + 0u + line;
    if (place < width) {
      if (ofInputs) {
        da[(workgroup.z * uniforms.rank + rank) * uniforms.inputs + place] = total * uniforms.scaleA;
      } else {
        db[(workgroup.z * uniforms.outputs + place) * uniforms.rank + rank] = total * uniforms.scaleB;
      }
    }
  }
  workgroupBarrier();
  parts[(group * 4u + 0u) * 16u + quad] = sum4; parts[(group * 4u + 1u) * 16u + quad] = sum5; parts[(group * 4u + 2u) * 16u + quad] = sum6; parts[(group * 4u + 3u) * 16u + quad] = sum7;
  workgroupBarrier();
  {
    var total = 0.0;
    for (var g = 0u; g < 16u; g++) { total += parts[(g * 4u + line) * 16u + (lane % 64u) / 4u][lane & 3u]; }
    let rank = rank0 + 4u + line;
    if (place < width) {
      if (ofInputs) {
        da[(workgroup.z * uniforms.rank + rank) * uniforms.inputs + place] = total * uniforms.scaleA;
      } else {
        db[(workgroup.z * uniforms.outputs + place) * uniforms.rank + rank] = total * uniforms.scaleB;
      }
    }
  }
  workgroupBarrier();
}
