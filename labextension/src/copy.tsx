import { useState } from 'react';

export interface CopyProps {
  /** What is copied. */
  full: string;
  /** What is shown; the full text is in the tooltip. */
  short: string;
  /** What it is, for a screen reader: 'job id'. */
  what: string;
  /** The words of a button, for a text too long to show. */
  button?: boolean;
}

/** An id in its short form that copies itself in full. */
export function Copy({ full, short, what, button = false }: CopyProps) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    setCopied(await toClipboard(full));
    setTimeout(() => setCopied(false), 1500);
  };
  return (
    <button
      type="button"
      className={button ? 'qpm-Button' : 'qpm-Copy'}
      title={button ? undefined : `${full} (click to copy)`}
      aria-label={`Copy ${what} ${full}`}
      onClick={copy}
    >
      {button ? short : <code>{short}</code>}
      <span role="status">{copied ? ' copied' : ''}</span>
    </button>
  );
}

/** The clipboard of a page without TLS is not there; a selected text field still copies. */
async function toClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement('textarea');
    field.value = text;
    document.body.append(field);
    field.select();
    const copied = document.execCommand('copy');
    field.remove();
    return copied;
  }
}
