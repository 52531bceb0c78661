/**
 * Names that the expression language keeps for itself. An id among them would be read as something else (`true` registers as a
 * variable and stays the literal) or not at all (`in` cannot follow a dot), so the site file may not use them.
 * CEL language definition, "Syntax" (reserved words); the type names are those that the pinned library declares as variables.
 */
export const CEL_WORDS: ReadonlySet<string> = new Set([
  // literals and operators
  'true',
  'false',
  'null',
  'in',
  // reserved
  'as',
  'break',
  'const',
  'continue',
  'else',
  'for',
  'function',
  'if',
  'import',
  'let',
  'loop',
  'namespace',
  'package',
  'prototype',
  'return',
  'var',
  'void',
  'while',
  // types and namespaces
  'bool',
  'bytes',
  'cel',
  'double',
  'google',
  'int',
  'list',
  'map',
  'null_type',
  'optional',
  'string',
  'type',
  'uint',
])
