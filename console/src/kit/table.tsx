import type { ReactNode } from 'react'

/** One column: its name and what stands in it. */
export interface Column<T> {
  name: string
  cell: (row: T) => ReactNode
  isNumber?: boolean
}

/** Rows under named columns. On a narrow screen it scrolls by itself, not the page. */
export function Table<T extends object>(props: {
  label: string
  rows: readonly T[]
  idOf: (row: T) => string
  columns: readonly Column<T>[]
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <section className="table-frame" tabIndex={0} aria-label={props.label}>
      <table>
        <thead>
          <tr>
            {props.columns.map(({ name, isNumber }) => (
              <th key={name} className={isNumber ? 'number' : undefined} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {props.rows.map((row) => (
            <tr key={props.idOf(row)}>
              {props.columns.map(({ name, cell, isNumber }) => (
                <td key={name} className={isNumber ? 'number' : undefined}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
