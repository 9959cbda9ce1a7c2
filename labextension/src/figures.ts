/** Figures as people read them; the same rules as `nbml.display.figures`, which a browser test compares. */

const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/**
 * What a reader would not see, or what turns the text around it, as its escape: control characters, marks of direction,
 * separators of lines. Breaks and tabs stay, and so do the joiners, which hold scripts and emoji together.
 */
export function visible(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, c => ('\n\t\u200c\u200d'.includes(c) ? c : escaped(c)));
}

/** As Python writes it. */
function escaped(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  const hex = (digits: number) => code.toString(16).padStart(digits, '0');
  return char === '\r' ? '\\r' : code < 0x100 ? `\\x${hex(2)}` : code < 0x10000 ? `\\u${hex(4)}` : `\\U${hex(8)}`;
}

const minus = (text: string): string => text.replace('-', '\u2212');

/** A number as text. `format` as a column says it: percent, time, bytes, exact; else three significant digits. */
export function figure(value: number, format?: string): string {
  switch (format) {
    case 'percent':
      return percent(value);
    case 'time':
      return ago(value);
    case 'bytes':
      return size(value);
    case 'exact':
      return Number.isInteger(value) ? value.toLocaleString('en', { maximumFractionDigits: 0 }) : String(value);
    default:
      return digits(value);
  }
}

/** Whole numbers whole, others with three significant digits; thousands separated, the sign a true minus. */
export function digits(value: number): string {
  const magnitude = Math.abs(value);
  if (Number.isInteger(value) && magnitude < 1e15) {
    return minus(WHOLE.format(value));
  }
  if (magnitude >= 1e-4 && magnitude < 1000) {
    return minus(value.toFixed(Math.max(0, 2 - Math.floor(Math.log10(magnitude)))));
  }
  if (magnitude < 1e15 && magnitude >= 1000) {
    return minus(WHOLE.format(value));
  }
  return minus(value.toPrecision(3));
}

/** What is not nothing is never shown as 0 or 100. */
function percent(share: number): string {
  if (share === 0 || share === 1) {
    return `${share * 100} %`;
  }
  if (share > 0 && share < 0.0005) {
    return '< 0.1 %';
  }
  return share > 0.9995 && share < 1 ? '> 99.9 %' : `${(share * 100).toFixed(1)} %`;
}

/** Bytes with a unit. */
export function size(bytes: number): string {
  let count = bytes;
  for (const unit of ['B', 'kB', 'MB']) {
    if (Math.abs(count) < 1000) {
      return `${count.toFixed(unit === 'B' || count >= 10 ? 0 : 1)} ${unit}`;
    }
    count /= 1000;
  }
  return `${count.toFixed(count >= 10 ? 0 : 1)} GB`;
}

/** An instant (epoch seconds) as "2 min ago". */
export function ago(when: number): string {
  const span = Date.now() / 1000 - when;
  if (span < 10) {
    return 'just now';
  }
  if (span < 99.5) {
    return `${span.toFixed(0)} s ago`;
  }
  if (span < 5970) {
    return `${(span / 60).toFixed(0)} min ago`;
  }
  return span < 3600 * 99.5 ? `${(span / 3600).toFixed(0)} h ago` : `${digits(Math.round(span / 86400))} d ago`;
}

/** The same instant in full. */
export function exactly(when: number): string {
  return new Date(when * 1000).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
}
