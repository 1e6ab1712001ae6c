// gemm thin {"vector":true}

struct Uniforms { long: u32, thin: u32, depth: u32, alpha: f32, longSide: u32, longDepth: u32, thinSide: u32, thinDepth: u32, productLong: u32, productThin: u32, share: u32 }
@group(0) @binding(0) var<storage, read> longFactor: array<vec4f>;
@group(0) @binding(1) var<storage, read> thinFactor: array<f32>;
@group(0) @binding(2) var<storage, read_write> product: array<f32>;
@group(0) @binding(3) var<uniform> uniforms: Uniforms;
var<workgroup> chunk: array<vec4f, 128>;
fn longValues(side: u32, depth: u32) -> vec4f {
  if (side >= uniforms.long || depth >= uniforms.depth) { return vec4f(); }
  return longFactor[(side * uniforms.longSide + depth) / 4u];
}
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let side = workgroup.x * 64u + lane;
  let thin0 = workgroup.y * 16u;
  let start = workgroup.z * uniforms.share;
  let end = min(start + uniforms.share, uniforms.depth);
  let alongDepth = uniforms.thinDepth == 1u;
  var sum0 = vec4f(); var sum1 = vec4f(); var sum2 = vec4f(); var sum3 = vec4f();
  for (var depth0 = start; depth0 < end; depth0 += 32u) {
    for (var i = lane; i < 512u; i += 64u) {
      let d = select(i / 16u, i % 32u, alongDepth);
      let t = select(i % 16u, i / 32u, alongDepth);
      var value = 0.0;
      if (depth0 + d < end && thin0 + t < uniforms.thin) {
        value = thinFactor[(thin0 + t) * uniforms.thinSide + (depth0 + d) * uniforms.thinDepth];
      }
      chunk[d * 4u + t / 4u][t % 4u] = value;
    }
    workgroupBarrier();
    for (var d = 0u; d < 32u; d += 4u) {
      let values = longValues(side, depth0 + d);
      sum0 += values[0] * chunk[(d + 0u) * 4u + 0u]; sum1 += values[0] * chunk[(d + 0u) * 4u + 1u]; sum2 += values[0] * chunk[(d + 0u) * 4u + 2u]; sum3 += values[0] * chunk[(d + 0u) * 4u + 3u];
      sum0 += values[1] * chunk[(d + 1u) * 4u + 0u]; sum1 += values[1] * chunk[(d + 1u) * 4u + 1u]; sum2 += values[1] * chunk[(d + 1u) * 4u + 2u]; sum3 += values[1] * chunk[(d + 1u) * 4u + 3u];
      sum0 += values[2] * chunk[(d + 2u) * 4u + 0u]; sum1 += values[2] * chunk[(d + 2u) * 4u + 1u]; sum2 += values[2] * chunk[(d + 2u) * 4u + 2u]; sum3 += values[2] * chunk[(d + 2u) * 4u + 3u];
      sum0 += values[3] * chunk[(d + 3u) * 4u + 0u]; sum1 += values[3] * chunk[(d + 3u) * 4u + 1u]; sum2 += values[3] * chunk[(d + 3u) * 4u + 2u]; sum3 += values[3] * chunk[(d + 3u) * 4u + 3u];
    }
    workgroupBarrier();
  }
  if (side >= uniforms.long) { return; }
  let first = workgroup.z * uniforms.long * uniforms.thin + side * uniforms.productLong;
  if (thin0 + 0u < uniforms.thin) { product[first + (thin0 + 0u) * uniforms.productThin] = uniforms.alpha * sum0[0]; }
  if (thin0 + 1u < uniforms.thin) { product[first + (thin0 + 1u) * uniforms.productThin] = uniforms.alpha * sum0[1]; }
  if (thin0 + 2u < uniforms.thin) { product[first + (thin0 + 2u) * uniforms.productThin] = uniforms.alpha * sum0[2]; }
  if (thin0 + 3u < uniforms.thin) { product[first + (thin0 + 3u) * uniforms.productThin] = uniforms.alpha * sum0[3]; }
  if (thin0 + 4u < uniforms.thin) { product[first + (thin0 + 4u) * uniforms.productThin] = uniforms.alpha * sum1[0]; }
  if (thin0 + 5u < uniforms.thin) { product[first + (thin0 + 5u) * uniforms.productThin] = uniforms.alpha * sum1[1]; }
  if (thin0 + 6u < uniforms.thin) { product[first + (thin0 + 6u) * uniforms.productThin] = uniforms.alpha * sum1[2]; }
  if (thin0 + 7u < uniforms.thin) { product[first + (thin0 + 7u) * uniforms.productThin] = uniforms.alpha * sum1[3]; }
  if (thin0 + 8u < uniforms.thin) { product[first + (thin0 + 8u) * uniforms.productThin] = uniforms.alpha * sum2[0]; }
  if (thin0 + 9u < uniforms.thin) { product[first + (thin0 + 9u) * uniforms.productThin] = uniforms.alpha * sum2[1]; }
  if (thin0 + 10u < uniforms.thin) { product[first + (thin0 + 10u) * uniforms.productThin] = uniforms.alpha * sum2[2]; }
  if (thin0 + 11u < uniforms.thin) { product[first + (thin0 + 11u) * uniforms.productThin] = uniforms.alpha * sum2[3]; }
  if (thin0 + 12u < uniforms.thin) { product[first + (thin0 + 12u) * uniforms.productThin] = uniforms.alpha * sum3[0]; }
  if (thin0 + 13u < uniforms.thin) { product[first + (thin0 + 13u) * uniforms.productThin] = uniforms.alpha * sum3[1]; }
  if (thin0 + 14u < uniforms.thin) { product[first + (thin0 + 14u) * uniforms.productThin] = uniforms.alpha * sum3[2]; }
  if (thin0 + 15u < uniforms.thin) { product[first + (thin0 + 15u) * uniforms.productThin] = uniforms.alpha * sum3[3]; }
}
