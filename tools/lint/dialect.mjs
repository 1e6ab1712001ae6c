/** Errors of the language, and commander's InvalidArgumentError, which its parsers expect. */
const FOREIGN = '(Type|Range|Syntax|Reference|Aggregate|Eval|URI|InvalidArgument)?Error';

/** What all packages' sources say in one way. */
export const dialect = {
  files: ['packages/*/src/**/*.ts'],
  ignores: ['**/*.test.ts', '**/*.bench.ts', '**/testing/**'],
  rules: {
    'no-restricted-syntax': [
      'error',
      {
        selector: `ThrowStatement > NewExpression[callee.name=/^(Type|Range|Syntax|Reference|Eval|URI)?Error$/]`,
        message: "what is thrown is the package's own error, with a code.",
      },
      {
        selector: `NewExpression[callee.name=/^(?!${FOREIGN}$).+Error$/][arguments.0.value=/[^A-Z0-9_]/]`,
        message: "an error's code is in capitals, its words joined by _.",
      },
      {
        selector: 'TSTypeAliasDeclaration[id.name=/ErrorCode$/] Literal[value=/[^A-Z0-9_]/]',
        message: "an error's code is in capitals, its words joined by _.",
      },
      { selector: 'PrivateIdentifier', message: 'private members are declared `private`, as everywhere else.' },
    ],
  },
};
