/**
 * The package.json of a workspace as it stands beside the compiled files, which is what is packed.
 * `publishConfig` takes the place of what is for the checkout: npm itself overrides nothing by it
 * but its own settings.
 */
export function publishedManifest(manifest: Record<string, unknown>): Record<string, unknown> {
  const { publishConfig, files: _files, private: _private, ...kept } = manifest
  const published = { ...kept, ...(publishConfig as Record<string, unknown> | undefined) }
  return JSON.parse(JSON.stringify(published), (_key, value) =>
    typeof value === 'string' ? value.replace(/^(\.\/)?dist\//, '$1') : value,
  )
}
