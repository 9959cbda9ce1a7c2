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
      return [{ line: `%nbml run ${ref}` }, { line: `%nbml reproduce ${ref}` }, { line: '%nbml runs' }];
    case 'validation':
      return [{ line: `nbml.suite("${name}")` }];
    case 'dataset':
      return [
        { line: `nbml.dataset("${ref}").load()` },
        { line: `%nbml validate ${ref}` },
        ...(row.version > 1 ? [{ line: `%nbml diff ${name}@${row.version - 1} ${ref}` }] : [])
      ];
    default:
      return [];
  }
}
