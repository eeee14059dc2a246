/** A small table of names and values. */
import type { ReactNode } from 'react';

export function Facts({ caption, facts }: { caption: string; facts: readonly (readonly [string, ReactNode])[] }) {
  return (
    <table className="facts">
      <caption>{caption}</caption>
      <tbody>
        {facts.map(([name, value]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{value}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
