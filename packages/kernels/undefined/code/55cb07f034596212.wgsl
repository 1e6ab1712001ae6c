
struct Uniforms { unsigned: u32, signed: i32, real: f32, last: u32, more: f32 }
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<uniform> uniforms: Uniforms;
@compute @workgroup_size(1)
fn main() {
  y[0] = f32(uniforms.unsigned);
  y[1] = f32(uniforms.signed);
  y[2] = uniforms.real;
  y[3] = f32(uniforms.last);
  y[4] = uniforms.more;
}