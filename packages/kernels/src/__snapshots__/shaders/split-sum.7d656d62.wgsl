// split sum {"bias":false,"transposed":true,"workgroupSize":256,"rank":8,"innerParts":1,"masked":false,"slope":"gelu_tanh","residual":false,"dropout":false}

struct Uniforms { size: u32, columns: u32, splits: u32, factorScale: f32, keepScale: f32, threshold: u32, site: u32, dropoutScale: f32 }
@group(0) @binding(0) var<storage, read> partial: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> product: array<vec4f>;
@group(0) @binding(2) var<storage, read> inner: array<vec4f>;
@group(0) @binding(3) var<storage, read> factor: array<vec4f>;
@group(0) @binding(4) var<storage, read> activated: array<vec4f>;
@group(0) @binding(5) var<uniform> uniforms: Uniforms;
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
fn activationSlope(x: T) -> T { let decay = geluDecay(x);
  let gate = 1.0 / (1.0 + decay);
  let near = clamp(x, T(-12.0), T(12.0));
  let slope = 1.5957691216057308 * (1.0 + 0.134145 * near * near);
  return gate * (1.0 + near * slope * (decay * gate)); }

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
  sum += term;
  sum *= activationSlope(activated[i]);
  
  
  return sum;
}
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) workgroups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (workgroup.y * workgroups.x + workgroup.x) * 256u + lane;
  if (i >= uniforms.size) { return; }
  product[i] = summed(i);
}
