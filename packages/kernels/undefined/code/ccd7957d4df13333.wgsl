
alias T = vec4f;
struct Uniforms { count: u32, beta1: f32, weight1: f32, beta2: f32, weight2: f32, epsilon: f32, weightDecay: f32, learningRateScale: f32 }
@group(0) @binding(0) var<storage, read_write> parameter: array<T>;
@group(0) @binding(1) var<storage, read> gradient: array<T>;
@group(0) @binding(2) var<storage, read_write> m: array<T>;
@group(0) @binding(3) var<storage, read_write> v: array<T>;
@group(0) @binding(4) var<storage, read> step: array<f32>;
@group(0) @binding(5) var<uniform> uniforms: Uniforms;
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32) {
  let i = (workgroup.y * workgroups.x + workgroup.x) * 256u + lane;
  if (i >= uniforms.count || step[5] == 0.0) { return; }
  
  let learningRate = step[0] * uniforms.learningRateScale;
  let decay = 1.0 - learningRate * uniforms.weightDecay;
  let stepSize = learningRate / step[1];
  let rootCorrection2 = step[2];
  let gradientScale = step[4];

  let scaled = gradient[i] * gradientScale;
  let first = m[i] + uniforms.weight1 * (scaled - m[i]);
  let second = v[i] * uniforms.beta2 + uniforms.weight2 * scaled * scaled;
  m[i] = first;
  v[i] = second;
  parameter[i] = parameter[i] * decay - stepSize * first / (sqrt(second) / rootCorrection2 + uniforms.epsilon);
}