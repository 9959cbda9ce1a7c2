/** The command table as `python -m nbml.commands --json` writes it; a test compares the two. */

import table from './commands.json';

export interface ICommand {
  name: string;
  summary: string;
  /** A line, or a whole cell, that can be put into a notebook. */
  example: string;
}

/** Every command that has a line to put in. */
export function commands(): ICommand[] {
  const said: unknown = table;
  const list = Array.isArray(said) ? said : (said as { commands?: unknown }).commands;
  if (!Array.isArray(list)) {
    return [];
  }
  return list.flatMap((entry: { [key: string]: unknown }) => {
    const { name, summary, example, since } = entry;
    if (typeof name !== 'string' || typeof summary !== 'string' || since === 'later') {
      return [];
    }
    return [{ name, summary, example: typeof example === 'string' && example ? example : `%nbml ${name}`.trim() }];
  });
}
