/**
 * What each name in the `activation_function` of a GPT-2 config.json computes: the parameterless entries of ACT2CLS in
 * transformers' activations.py. Its tanh approximations of GELU differ only in rounding and share one formula here.
 */
export const ACTIVATION_KINDS = {
  gelu_new: 'gelu_tanh',
  gelu_fast: 'gelu_tanh',
  gelu_pytorch_tanh: 'gelu_tanh',
  gelu_python_tanh: 'gelu_tanh',
  gelu_accurate: 'gelu_tanh',
  gelu: 'gelu_erf',
  gelu_python: 'gelu_erf',
  gelu_10: 'gelu_clipped',
  quick_gelu: 'gelu_sigmoid',
  relu: 'relu',
  relu2: 'relu_squared',
  relu6: 'relu6',
  leaky_relu: 'leaky_relu',
  silu: 'silu',
  swish: 'silu',
  hardswish: 'hardswish',
  mish: 'mish',
  sigmoid: 'sigmoid',
  tanh: 'tanh',
  laplace: 'laplace',
  sqrtsoftplus: 'sqrt_softplus',
  linear: 'linear',
} as const;

/** An activation by transformers' name. */
export type ActivationName = keyof typeof ACTIVATION_KINDS;

/** A formula; several names may share one. */
export type ActivationKind = (typeof ACTIVATION_KINDS)[ActivationName];

/** sqrt(2 / pi) and the cubic coefficient of GELU's tanh approximation (Hendrycks and Gimpel 2016, section 2). */
export const GELU_TANH = { scale: Math.sqrt(2 / Math.PI), cubic: 0.044715 } as const;
/** GELU's sigmoid approximation, x * sigmoid(1.702 x). */
export const GELU_SIGMOID_SCALE = 1.702;
/** torch.nn.LeakyReLU's default. */
export const LEAKY_RELU_SLOPE = 0.01;
/** LaplaceActivation's mean and standard deviation (Ma et al. 2022, MEGA). */
export const LAPLACE = { mean: 0.707107, std: 0.282095 } as const;
/** gelu_10 keeps GELU between -10 and 10. */
export const GELU_CLIP = 10;
