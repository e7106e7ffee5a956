/** The version of this build: in `User-Agent`, the OpenAPI document and `--version`. */
export const version = '0.1.0'
