/** Lint: strict types, and the import rules of the cut (docs/decisions/0001-the-cut.md), per folder. */
import tseslint from 'typescript-eslint';
import { FOLDERS } from './test/architecture/folders.js';

/** `domain/` may not look at a clock, a dice or the machine. */
const PURITY = [
  {
    selector: "MemberExpression[object.name='Date'][property.name='now']",
    message: 'The clock comes in as an argument.',
  },
  {
    selector: "NewExpression[callee.name='Date'][arguments.length=0]",
    message: 'The clock comes in as an argument.',
  },
  {
    selector: "MemberExpression[object.name='Math'][property.name='random']",
    message: 'Randomness comes in as an argument.',
  },
];

/** One rule block a folder: what lies above it in the cut it cannot import. */
const layers = Object.entries(FOLDERS).map(([folder, { imports }]) => ({
  files: [`${folder}/**/*.ts`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: Object.keys(FOLDERS)
          .filter((other) => other !== folder && !imports.includes(other))
          .map((other) => ({
            group: [
              `../${other}/*`,
              `../../${other}/*`,
              `../../../${other}/*`,
              `../${other}/**`,
              `../../${other}/**`,
            ],
            message: `${folder}/ may not import ${other}/.`,
            allowTypeImports: (FOLDERS[folder].typeImports ?? []).includes(other),
          })),
      },
    ],
  },
}));

export default tseslint.config(
  {
    ignores: [
      'dist/**',
      'node_modules/**',
      'coverage/**',
      '.kavach/**',
      'scripts/**',
      '*.config.*',
    ],
  },
  ...tseslint.configs.strictTypeChecked,
  {
    files: ['**/*.ts'],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_' },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      'no-restricted-syntax': [
        'error',
        { selector: 'TSEnumDeclaration', message: 'Unions, not enums.' },
      ],
    },
  },
  {
    files: ['domain/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...PURITY] },
  },
  ...layers,
  {
    files: ['test/**/*.ts', 'bench/**/*.ts', 'fakes/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/restrict-template-expressions': 'off',
    },
  },
  { files: ['**/*.js', '**/*.mjs', '**/*.cjs'], ...tseslint.configs.disableTypeChecked },
);
