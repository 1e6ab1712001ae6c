// lora weight gradients matrix {"activation":"linear","masked":true,"innerParts":1,"dInnerParts":1,"halfSlope":true}


enable f16;
enable subgroups;
enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
diagnostic(off, subgroup_uniformity);

struct Uniforms { rows: u32, inputs: u32, outputs: u32, rank: u32, scaleA: f32, scaleB: f32, share: u32, inputBlocks: u32 }
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4u>;
@group(0) @binding(2) var<storage, read> inner: array<vec4f>;
@group(0) @binding(3) var<storage, read> dInner: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> da: array<f32>;
@group(0) @binding(5) var<storage, read_write> db: array<f32>;
@group(0) @binding(6) var<storage, read> keepBits: array<u32>;
@group(0) @binding(7) var<uniform> uniforms: Uniforms;

fn keptOf(word: u32, at: u32) -> vec4<bool> {
  return ((vec4u(word >> ((at & 7u) * 4u)) >> vec4u(0u, 1u, 2u, 3u)) & vec4u(1u)) != vec4u(0u);
}


alias Left = subgroup_matrix_left<f16, 16, 16>;
alias Right = subgroup_matrix_right<f16, 16, 16>;
alias Sum = subgroup_matrix_result<f32, 16, 16>;
fn pack(pair: vec2f) -> u32 { return bitcast<u32>(vec2<f16>(pair)); }
fn pack4(quad: vec4f) -> vec2u { return vec2u(pack(quad.xy), pack(quad.zw)); }
fn pack8(low: vec4f, high: vec4f) -> vec4u { return vec4u(pack(low.xy), pack(low.zw), pack(high.xy), pack(high.zw)); }

struct Pair { low: vec4f, high: vec4f }
fn pairOf(first: vec4f, second: vec4f, odd: bool) -> Pair {
  let got = subgroupShuffleXor(select(second, first, odd), 1u);
  return Pair(select(first, got, odd), select(got, second, odd));
}
fn pairUp(first: vec2u, second: vec2u, odd: bool) -> vec4u {
  let got = subgroupShuffleXor(select(second, first, odd), 1u);
  return select(vec4u(first, got), vec4u(got, second), odd);
}

var<workgroup> tile: array<vec4u, 1024>;
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let subgroup = thread / 32u;
  let lane = thread % 32u;
  let odd = (lane & 1u) == 1u;
  let ofInputs = workgroup.x < uniforms.inputBlocks;
  let column0 = select(workgroup.x - uniforms.inputBlocks, workgroup.x, ofInputs) * 32u;
  let width = select(uniforms.outputs, uniforms.inputs, ofInputs);
  // The gradient is scaled up, whichever of the two factors it is.
  let thinScale = select(1.0, 1024.0, ofInputs);
  let rank0 = workgroup.y * 16u;
  let start = workgroup.z * uniforms.share;
  let end = min(start + uniforms.share, uniforms.rows);
  let thinLine = thread / 2u;
  let thinRank = rank0 + (thread % 2u) * 8u;
  let thinPitch = uniforms.rows * uniforms.rank / 4u;
  var thinAt = 0u;
  var thinLow0 = vec4f(); var thinHigh0 = vec4f();
  var first0: vec4f; var second0: vec4f; var wordFirst0 = 0u; var wordSecond0 = 0u; var half0: vec4u;
  var first1: vec4f; var second1: vec4f; var wordFirst1 = 0u; var wordSecond1 = 0u; var half1: vec4u;
  var sum0: Sum; var sum1: Sum;
  var row0 = start;
  
    thinAt = (min(row0 + thinLine, end - 1u) * uniforms.rank + min(thinRank, uniforms.rank - 8u)) / 4u;
    if (ofInputs) {
      { let at = (min(row0 + ((thread & ~31u) * 2u + lane) / 8u, end - 1u) * width + column0) / 4u + ((thread & ~31u) * 2u + lane) % 8u; let next = (min(row0 + (((thread & ~31u) * 2u + lane) + 32u) / 8u, end - 1u) * width + column0) / 4u + (((thread & ~31u) * 2u + lane) + 32u) % 8u; first0 = x[at]; second0 = x[next]; wordFirst0 = keepBits[at / 8u]; wordSecond0 = keepBits[next / 8u]; }
      { let at = (min(row0 + ((thread & ~31u) * 2u + lane + 512u) / 8u, end - 1u) * width + column0) / 4u + ((thread & ~31u) * 2u + lane + 512u) % 8u; let next = (min(row0 + (((thread & ~31u) * 2u + lane + 512u) + 32u) / 8u, end - 1u) * width + column0) / 4u + (((thread & ~31u) * 2u + lane + 512u) + 32u) % 8u; first1 = x[at]; second1 = x[next]; wordFirst1 = keepBits[at / 8u]; wordSecond1 = keepBits[next / 8u]; }
      
      thinLow0 = dInner[thinAt + 0u * thinPitch]; thinHigh0 = dInner[thinAt + 0u * thinPitch + 1u];
    } else {
      half0 = dy[(min(row0 + (thread + 0u) / 4u, end - 1u) * width + column0) / 8u + (thread + 0u) % 4u];
      half1 = dy[(min(row0 + (thread + 256u) / 4u, end - 1u) * width + column0) / 8u + (thread + 256u) % 4u];
      
      thinLow0 = inner[thinAt + 0u * thinPitch]; thinHigh0 = inner[thinAt + 0u * thinPitch + 1u];
    }
  loop {
    
    if (ofInputs) {
      {
      // Columns begin at a multiple of 32, eight vec4, so a vec4's place in its word of keep bits is its place in the row.
      
      let unit = (((thread & ~31u) * 2u + lane) + select(0u, 31u, odd)) / 2u;
      tile[(unit / 4u) * 5u + unit % 4u] =
        select(vec4u(), pairUp(pack4(select(vec4f(), first0, keptOf(wordFirst0, ((thread & ~31u) * 2u + lane)))), pack4(select(vec4f(), second0, keptOf(wordSecond0, (((thread & ~31u) * 2u + lane) + 32u)))), odd), row0 + unit / 4u < end);
      }
      {
      // Columns begin at a multiple of 32, eight vec4, so a vec4's place in its word of keep bits is its place in the row.
      
      let unit = (((thread & ~31u) * 2u + lane + 512u) + select(0u, 31u, odd)) / 2u;
      tile[(unit / 4u) * 5u + unit % 4u] =
        select(vec4u(), pairUp(pack4(select(vec4f(), first1, keptOf(wordFirst1, ((thread & ~31u) * 2u + lane + 512u)))), pack4(select(vec4f(), second1, keptOf(wordSecond1, (((thread & ~31u) * 2u + lane + 512u) + 32u)))), odd), row0 + unit / 4u < end);
      }
    } else {
      {
      let unit = thread + 0u;
      tile[(unit / 4u) * 5u + unit % 4u] = select(vec4u(), half0, row0 + unit / 4u < end);
      }
      {
      let unit = thread + 256u;
      tile[(unit / 4u) * 5u + unit % 4u] = select(vec4u(), half1, row0 + unit / 4u < end);
      }
    }
    tile[thinLine * 3u + thread % 2u + 640u] = select(
      vec4u(),
      pack8((thinLow0) * thinScale, (thinHigh0) * thinScale),
      row0 + thinLine < end && thinRank < uniforms.rank,
    );
    workgroupBarrier();
    row0 += 128u;
    if (row0 < end) {
      
    thinAt = (min(row0 + thinLine, end - 1u) * uniforms.rank + min(thinRank, uniforms.rank - 8u)) / 4u;
    if (ofInputs) {
      { let at = (min(row0 + ((thread & ~31u) * 2u + lane) / 8u, end - 1u) * width + column0) / 4u + ((thread & ~31u) * 2u + lane) % 8u; let next = (min(row0 + (((thread & ~31u) * 2u + lane) + 32u) / 8u, end - 1u) * width + column0) / 4u + (((thread & ~31u) * 2u + lane) + 32u) % 8u; first0 = x[at]; second0 = x[next]; wordFirst0 = keepBits[at / 8u]; wordSecond0 = keepBits[next / 8u]; }
      { let at = (min(row0 + ((thread & ~31u) * 2u + lane + 512u) / 8u, end - 1u) * width + column0) / 4u + ((thread & ~31u) * 2u + lane + 512u) % 8u; let next = (min(row0 + (((thread & ~31u) * 2u + lane + 512u) + 32u) / 8u, end - 1u) * width + column0) / 4u + (((thread & ~31u) * 2u + lane + 512u) + 32u) % 8u; first1 = x[at]; second1 = x[next]; wordFirst1 = keepBits[at / 8u]; wordSecond1 = keepBits[next / 8u]; }
      
      thinLow0 = dInner[thinAt + 0u * thinPitch]; thinHigh0 = dInner[thinAt + 0u * thinPitch + 1u];
    } else {
      half0 = dy[(min(row0 + (thread + 0u) / 4u, end - 1u) * width + column0) / 8u + (thread + 0u) % 4u];
      half1 = dy[(min(row0 + (thread + 256u) / 4u, end - 1u) * width + column0) / 8u + (thread + 256u) % 4u];
      
      thinLow0 = inner[thinAt + 0u * thinPitch]; thinHigh0 = inner[thinAt + 0u * thinPitch + 1u];
    }
    }
    let a = subgroupMatrixLoad<Left, col_major>(&tile, subgroup * 48u + 640u, 3u);
    sum0 = subgroupMatrixMultiplyAccumulate(a, subgroupMatrixLoad<Right, row_major>(&tile, subgroup * 80u + 0u, 5u), sum0);
    sum1 = subgroupMatrixMultiplyAccumulate(a, subgroupMatrixLoad<Right, row_major>(&tile, subgroup * 80u + 2u, 5u), sum1);
    workgroupBarrier();
    if (row0 >= end) { break; }
  }
  subgroupMatrixStore<row_major>(&tile, subgroup * 128u + 0u, sum0, 8u); subgroupMatrixStore<row_major>(&tile, subgroup * 128u + 4u, sum1, 8u);
  workgroupBarrier();
  for (var i = thread; i < 512u; i += 256u) {
    // Neighbouring threads write neighbouring values: along a row of A's gradient, or of B's.
    let rank = select(i % 16u, i / 32u, ofInputs);
    let place = select(i / 16u, i % 32u, ofInputs);
    var total = 0.0;
    for (var s = 0u; s < 8u; s++) { total += bitcast<f32>(tile[s * 128u + rank * 8u + place / 4u][place & 3u]); }
    if (rank0 + rank >= uniforms.rank) { continue; }
    if (ofInputs) {
      da[(workgroup.z * uniforms.rank + rank0 + rank) * uniforms.inputs + column0 + place] = total * (uniforms.scaleA / 1024.0);
    } else {
      db[(workgroup.z * uniforms.outputs + column0 + place) * uniforms.rank + rank0 + rank] = total * (uniforms.scaleB / 1024.0);
    }
  }
}
