/** A table that scrolls by itself where the screen is narrow, and can be scrolled by the keyboard. */
import { type ReactNode, useId } from 'react';

interface AdminTableProps {
  readonly heading: string;
  /** Headings of the columns; one that begins with `#` is of numbers. */
  readonly columns: readonly string[];
  readonly rows: readonly { readonly key: string; readonly cells: readonly ReactNode[] }[];
  /** Said instead of a table without rows. */
  readonly empty: string;
  /** Beside the heading. */
  readonly tools?: ReactNode;
  /** Below the table. */
  readonly children?: ReactNode;
}

export function AdminTable({ heading, columns, rows, empty, tools, children }: AdminTableProps) {
  const id = useId();
  const isNumber = columns.map((column) => column.startsWith('#'));
  return (
    <section className="admin-section" aria-labelledby={id}>
      <div className="group-head">
        <h2 id={id}>{heading}</h2>
        {tools}
      </div>
      {rows.length === 0 ? (
        <p className="faint">{empty}</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls has to be reached by the keyboard.
        <section className="admin-scroll" tabIndex={0} aria-labelledby={id}>
          <table className="admin-table">
            <thead>
              <tr>
                {columns.map((column, index) => (
                  <th key={column} scope="col" className={isNumber[index] ? 'number' : undefined}>
                    {column.replace(/^#/, '')}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map(({ key, cells }) => (
                <tr key={key}>
                  {cells.map((cell, index) => (
                    <td key={columns[index]} className={isNumber[index] ? 'number' : undefined}>
                      {cell}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {children}
    </section>
  );
}
