import type { SourceTree } from './source-tree.ts'

/** One place where the tree breaks a rule: what is wrong, and what to do about it. */
export type Finding = {
  path: string
  /** Counted from 1. */
  line: number
  message: string
}

/** A rule of the house. It sees the whole tree, because some rules compare files. */
export type Rule = {
  /** Kebab-case, as it is printed. */
  name: string
  check(tree: SourceTree): Finding[]
}
