import { verifyWebhook } from '../src/verify-webhook.ts'
import { judgeVectors } from './judge-vectors.ts'

/* Runs the verifier as its sources are, in whatever runtime starts this file. */
console.log(JSON.stringify(await judgeVectors(verifyWebhook)))
