import { composioContract } from './composio-contract.ts'
import type { Contract } from './contract.ts'
import { devtuneContract } from './devtune-contract.ts'
import { dinieContract } from './dinie-contract.ts'
import { hCompanyContract } from './h-company-contract.ts'
import { mobilerunContract } from './mobilerun-contract.ts'

/** The contract of every dialect, in the order in which people read of them. */
export const contracts: readonly Contract[] = [
  mobilerunContract,
  composioContract,
  hCompanyContract,
  devtuneContract,
  dinieContract,
]
