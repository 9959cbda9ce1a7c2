/** Records of a command's JSON (`python -m nbml drift ... --json`) as a result that is drawn like any other. */

import { Cell, IColumn, IResult, State } from './mime';

/** Columns of a measure of drift: the larger, the more. */
const MEASURES = new Set(['psi', 'js', 'ks']);

/** null where the value is no list of flat records. */
export function fromRecords(value: unknown, title: string): IResult | null {
  if (!Array.isArray(value) || value.some(r => typeof r !== 'object' || r === null || Array.isArray(r))) {
    return null;
  }
  const records = [...(value as { [key: string]: unknown }[])];
  const names = [...new Set(records.flatMap(r => Object.keys(r)))];
  const columns = names.map<IColumn>(name => ({
    name,
    align: 'auto',
    bar: MEASURES.has(name) ? 'look' : undefined
  }));
  if (names.includes('psi')) {
    records.sort((a, b) => Number(b.drifted) - Number(a.drifted) || Number(b.psi) - Number(a.psi));
  }
  const rows = records.map(r => names.map(name => cell(r[name], name)));
  const drifted = records.filter(r => r.drifted === true).length;
  const judged = names.includes('drifted');
  const state: State = judged ? (drifted ? 'look' : 'well') : 'idle';
  return {
    id: '0'.repeat(32),
    kind: '',
    ref: '',
    title: [{ text: title, style: 'strong' }],
    state,
    word: judged ? (drifted ? 'drift' : 'steady') : '',
    facts: judged ? [`${drifted} of ${records.length} features drifted`] : [`${records.length} rows`],
    next: [],
    parts: [{ type: 'table', columns, rows, total: rows.length, caption: '' }]
  };
}

function cell(value: unknown, name: string): Cell {
  if (name === 'drifted' && typeof value === 'boolean') {
    return value ? [{ text: 'drifted', style: 'chip', state: 'look' }] : [{ text: 'steady', style: 'muted' }];
  }
  if (value === null || value === undefined) {
    return null;
  }
  return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string' ? value : JSON.stringify(value);
}
