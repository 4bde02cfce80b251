/** So many last characters of a long key stay in sight. */
const TAIL = 8;

/** A key that gives way in its middle where the column is narrow; the page still holds it in full. */
export function Key({ text }: { text: string }) {
  if (text.length <= 2 * TAIL) {
    return <code>{text}</code>;
  }
  return (
    <code className="qpm-Key">
      <span className="qpm-Key-start">{text.slice(0, -TAIL)}</span>
      {text.slice(-TAIL)}
    </code>
  );
}
