import type { Caution } from '../trustWords';

/** A symbol and a word, then what is wrong; a screen reader hears the word alone. */
export function CautionLine({ caution: { symbol, word, text, tone } }: { caution: Caution }) {
  return (
    <p>
      <Sign symbol={symbol} tone={tone} />
      <b className={`qpm-${tone}`}>{word}:</b> {text}.
    </p>
  );
}

export function Sign({ symbol, tone }: { symbol: string; tone: string }) {
  return (
    <span className={`qpm-Sign qpm-${tone}`} aria-hidden="true">
      {symbol}
    </span>
  );
}
