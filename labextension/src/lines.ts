/** The line that each thing of the panel leads to. A line either goes into the notebook or runs without a kernel. */

import { IRow } from './model';

export interface ILine {
  /** What a user would type. */
  line: string;
  /** Its words for `python -m nbml`, where no kernel is needed. */
  argv?: string[];
}

/** The commands that a row offers, the most useful first; each is shown as the line it stands for. */
export function linesOf(row: IRow): ILine[] {
  const { kind, name, ref } = row;
  switch (kind) {
    case 'alert':
      return [{ line: `%nbml monitor ${name}` }];
    case 'deployment':
      return [
        { line: `%nbml monitor ${name}` },
        { line: `nbml.deployment("${name}").predict(df)` },
        { line: `%nbml stop ${name}`, argv: ['stop', name] }
      ];
    case 'service':
      return [{ line: `nbml.service("${ref}").predict(df)` }];
    case 'study':
      return [{ line: `nbml.study("${name}").best_estimator` }, { line: `nbml.study("${name}").trials` }];
    case 'run':
      return [{ line: '%nbml runs' }];
    case 'validation':
      return [{ line: 'nbml.suite("NAME")'.replace('NAME', suite(row)) }];
    case 'dataset':
      return [{ line: `nbml.dataset("${ref}").load()` }, { line: `%nbml validate ${ref}` }];
    default:
      return [];
  }
}

/** A validation is called "suite on data". */
function suite(row: IRow): string {
  return row.label.split(' on ')[0].split('@')[0];
}
