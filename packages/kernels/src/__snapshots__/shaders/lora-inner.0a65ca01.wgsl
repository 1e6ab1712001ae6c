// lora inner {"rows":4,"depth":64,"activation":"gelu_tanh","factorTransposed":false,"dropout":false,"writes":"activated","half":false}

struct Uniforms { rows: u32, depth: u32, rank: u32, scale: f32, threshold: u32, site: u32, keepScale: f32 }
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> factor: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> inner: array<f32>;
@group(0) @binding(3) var<storage, read_write> written: array<vec4f>;
@group(0) @binding(4) var<uniform> uniforms: Uniforms;


alias T = vec4f;
fn boundedTanh(x: T) -> T { return tanh(clamp(x, T(-12.0), T(12.0))); }
fn sigmoid(x: T) -> T { return 1.0 / (1.0 + exp(clamp(-x, T(-87.0), T(87.0)))); }
// log(1 + e) by its series where adding 1 would round e away.
fn softplus(x: T) -> T {
  let e = exp(-min(abs(x), T(87.0)));
  let series = e * (1.0 - e * (0.5 - e * (1.0 / 3.0 - e * 0.25)));
  return max(x, T(0.0)) + select(log(1.0 + e), series, e < T(0.02));
}
// Abramowitz and Stegun 7.1.26; off by 1.5e-7 at most.
fn erf(x: T) -> T {
  let t = 1.0 / (1.0 + 0.3275911 * abs(x));
  let polynomial = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return sign(x) * (1.0 - polynomial * exp(-min(x * x, T(87.0))));
}
fn normalDistribution(x: T) -> T { return 0.5 + 0.5 * erf(x * 0.7071067811865476); }
fn geluErf(x: T) -> T { return x * normalDistribution(x); }
fn geluErfSlope(x: T) -> T {
  return normalDistribution(x) + x * exp(-min(0.5 * x * x, T(87.0))) * 0.3989422804014327;
}
// (1 + tanh(z)) / 2 is 1 / (1 + exp(-2 z)): one exponential, and nothing cancels.
fn geluDecay(x: T) -> T {
  return exp(clamp(-1.5957691216057308 * x * (1.0 + 0.044715 * x * x), T(-87.0), T(87.0)));
}
fn activate(x: T) -> T { return x / (1.0 + geluDecay(x)); }
var<workgroup> left: array<vec4f, 256>;
var<workgroup> right: array<vec4f, 1024>;

fn place(row: u32, step: u32) -> u32 { return row * 64u + (step ^ ((row >> 2u) << 1u)); }

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let depth = uniforms.depth / 4u;
  let row0 = workgroup.x * 4u;
  let rank0 = workgroup.y * 16u;
  let columns = lane & 3u;
  let rows = (lane >> 2u) % 1u;
  let part = lane / 4u;
  
  let line0 = (lane + 0u) / 64u;
  let step0 = (lane + 0u) % 64u;
  let xRow0 = min(row0 + line0, uniforms.rows - 1u);
  var x0: vec4f;
  
  let factorLine0 = (lane + 0u) / 64u;
  let factorStep0 = (lane + 0u) % 64u;
  var factor0: vec4f;
  let factorLine1 = (lane + 256u) / 64u;
  let factorStep1 = (lane + 256u) % 64u;
  var factor1: vec4f;
  let factorLine2 = (lane + 512u) / 64u;
  let factorStep2 = (lane + 512u) % 64u;
  var factor2: vec4f;
  let factorLine3 = (lane + 768u) / 64u;
  let factorStep3 = (lane + 768u) % 64u;
  var factor3: vec4f;
  var sum0 = vec4f(); var sum1 = vec4f(); var sum2 = vec4f(); var sum3 = vec4f();
  var depth0 = 0u;
  
    x0 = vec4f(); if (depth0 + step0 < depth) { x0 = x[xRow0 * depth + depth0 + step0]; }
    
    factor0 = vec4f();
    if (depth0 + factorStep0 < depth && rank0 + factorLine0 < uniforms.rank) {
      factor0 = factor[(rank0 + factorLine0) * depth + depth0 + factorStep0];
    }
    factor1 = vec4f();
    if (depth0 + factorStep1 < depth && rank0 + factorLine1 < uniforms.rank) {
      factor1 = factor[(rank0 + factorLine1) * depth + depth0 + factorStep1];
    }
    factor2 = vec4f();
    if (depth0 + factorStep2 < depth && rank0 + factorLine2 < uniforms.rank) {
      factor2 = factor[(rank0 + factorLine2) * depth + depth0 + factorStep2];
    }
    factor3 = vec4f();
    if (depth0 + factorStep3 < depth && rank0 + factorLine3 < uniforms.rank) {
      factor3 = factor[(rank0 + factorLine3) * depth + depth0 + factorStep3];
    }
  loop {
    
    
    x0 = activate(x0);
    if (workgroup.y == 0u && row0 + line0 < uniforms.rows && depth0 + step0 < depth) { written[xRow0 * depth + depth0 + step0] = x0; }
    
    
    left[place(line0, step0)] = x0;
    right[place(factorLine0, factorStep0)] = factor0;
    right[place(factorLine1, factorStep1)] = factor1;
    right[place(factorLine2, factorStep2)] = factor2;
    right[place(factorLine3, factorStep3)] = factor3;
    workgroupBarrier();
    
    depth0 += 64u;
    if (depth0 < depth) {
      
    x0 = vec4f(); if (depth0 + step0 < depth) { x0 = x[xRow0 * depth + depth0 + step0]; }
    
    factor0 = vec4f();
    if (depth0 + factorStep0 < depth && rank0 + factorLine0 < uniforms.rank) {
      factor0 = factor[(rank0 + factorLine0) * depth + depth0 + factorStep0];
    }
    factor1 = vec4f();
    if (depth0 + factorStep1 < depth && rank0 + factorLine1 < uniforms.rank) {
      factor1 = factor[(rank0 + factorLine1) * depth + depth0 + factorStep1];
    }
    factor2 = vec4f();
    if (depth0 + factorStep2 < depth && rank0 + factorLine2 < uniforms.rank) {
      factor2 = factor[(rank0 + factorLine2) * depth + depth0 + factorStep2];
    }
    factor3 = vec4f();
    if (depth0 + factorStep3 < depth && rank0 + factorLine3 < uniforms.rank) {
      factor3 = factor[(rank0 + factorLine3) * depth + depth0 + factorStep3];
    }
    }
    for (var s = part; s < 64u; s += 64u) {
      let b0 = right[place(columns * 4u + 0u, s)]; let b1 = right[place(columns * 4u + 1u, s)]; let b2 = right[place(columns * 4u + 2u, s)]; let b3 = right[place(columns * 4u + 3u, s)];
      { let a = left[place(rows * 4u + 0u, s)]; sum0 += vec4f(dot(a, b0), dot(a, b1), dot(a, b2), dot(a, b3)); }
      { let a = left[place(rows * 4u + 1u, s)]; sum1 += vec4f(dot(a, b0), dot(a, b1), dot(a, b2), dot(a, b3)); }
      { let a = left[place(rows * 4u + 2u, s)]; sum2 += vec4f(dot(a, b0), dot(a, b1), dot(a, b2), dot(a, b3)); }
      { let a = left[place(rows * 4u + 3u, s)]; sum3 += vec4f(dot(a, b0), dot(a, b1), dot(a, b2), dot(a, b3)); }
    }
    workgroupBarrier();
    if (depth0 >= depth) { break; }
  }
  // The parts take the tiles' place.
  right[part * 16u + (rows * 4u + 0u) * 4u + columns] = sum0;
  right[part * 16u + (rows * 4u + 1u) * 4u + columns] = sum1;
  right[part * 16u + (rows * 4u + 2u) * 4u + columns] = sum2;
  right[part * 16u + (rows * 4u + 3u) * 4u + columns] = sum3;
  workgroupBarrier();
  if (lane >= 64u) { return; }
  let row = lane / 16u;
  let column = lane % 16u;
  var total = 0.0;
  for (var p = 0u; p < 64u; p++) {
    let at = p * 16u + lane / 4u;
    total += right[at][lane & 3u];
  }
  if (row0 + row < uniforms.rows && rank0 + column < uniforms.rank) {
    inner[(row0 + row) * uniforms.rank + rank0 + column] = total * uniforms.scale;
  }
}
