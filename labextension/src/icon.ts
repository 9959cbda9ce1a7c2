import { LabIcon } from '@jupyterlab/ui-components';

/** A rule and three rising bars: a state, and what it is judged by. */
export const nbmlIcon = new LabIcon({
  name: 'nbml:icon',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g class="jp-icon3 jp-icon-selectable" fill="#616161">
    <path d="M3 3h2.4v18H3zM8.5 14h3v7h-3zM13.5 10h3v11h-3zM18.5 5h3v16h-3z"/>
  </g>
</svg>`
});
