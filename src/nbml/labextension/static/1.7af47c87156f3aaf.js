"use strict";(self.rspackChunk_nbml_labextension=self.rspackChunk_nbml_labextension||[]).push([[1],{22(n,e,r){var l=r(23),t=r.n(l),o=r(24),a=(r.n(o))()(t());a.push([n.id,`/* Colours of states are the product's own; everything else is JupyterLab's. */
:root {
  --jp-nbml-well: #2a9d75;
  --jp-nbml-look: #c98a0b;
  --jp-nbml-bad: #d64f5c;
  --jp-nbml-running: #3f7fd1;
  --jp-nbml-idle: #808080;
}

[data-state='well'] { --jp-nbml-state: var(--jp-nbml-well); }
[data-state='look'] { --jp-nbml-state: var(--jp-nbml-look); }
[data-state='bad'] { --jp-nbml-state: var(--jp-nbml-bad); }
[data-state='running'] { --jp-nbml-state: var(--jp-nbml-running); }
[data-state='idle'] { --jp-nbml-state: var(--jp-nbml-idle); }

/* ---- small things, everywhere ---- */

.jp-nbml-dot {
  flex: none;
  width: 8px;
  height: 8px;
  border-radius: 50%;
  background: var(--jp-nbml-state);
}

.jp-nbml-chip {
  display: inline-block;
  padding: 1px 7px;
  border-radius: 3px;
  background: color-mix(in srgb, var(--jp-nbml-state) 18%, transparent);
  font-weight: 600;
  white-space: nowrap;
}

.jp-nbml-muted { opacity: 0.65; }
.jp-nbml-small { font-size: var(--jp-ui-font-size0); }

.jp-nbml-spark {
  flex: none;
  vertical-align: middle;
}
.jp-nbml-spark path {
  fill: none;
  stroke: var(--jp-nbml-state);
  stroke-width: 1.5;
  stroke-linejoin: round;
  stroke-linecap: round;
}
.jp-nbml-histogram { vertical-align: middle; }
.jp-nbml-strip { flex: none; vertical-align: middle; }
.jp-nbml-strip rect { fill: var(--jp-nbml-state); }
.jp-nbml-strip rect[data-state='idle'] { fill-opacity: 0.5; }
.jp-nbml-was { fill: var(--jp-nbml-idle); fill-opacity: 0.5; }
.jp-nbml-gauge { vertical-align: middle; }
.jp-nbml-at { fill: var(--jp-nbml-bad); }
.jp-nbml-is { fill: none; stroke: var(--jp-nbml-running); stroke-width: 1.2; }

.jp-nbml-panel code,
.jp-nbml-result code,
.jp-nbml-detail code,
.jp-nbml-dialog code {
  padding: 0 3px;
  border-radius: 2px;
  background: color-mix(in srgb, var(--jp-nbml-idle) 14%, transparent);
  color: inherit;
  font-family: var(--jp-code-font-family);
  font-size: 0.93em;
}
.jp-nbml-dialog code.jp-nbml-plain { padding: 0; background: none; }

.jp-nbml-link,
.jp-nbml-quiet {
  padding: 0;
  border: 0;
  background: none;
  color: var(--jp-content-link-color);
  font: inherit;
  cursor: pointer;
}
.jp-nbml-link:hover,
.jp-nbml-quiet:hover { text-decoration: underline; }

.jp-nbml-input {
  box-sizing: border-box;
  min-width: 0;
  padding: 4px 8px;
  border: 1px solid var(--jp-border-color1);
  border-radius: 2px;
  background: var(--jp-layout-color0);
  color: var(--jp-ui-font-color1);
  font: inherit;
}
.jp-nbml-input::placeholder { color: var(--jp-ui-font-color2); }
.jp-nbml-input[aria-invalid] { border-color: var(--jp-nbml-bad); }

.jp-nbml-button {
  padding: 6px 14px;
  border: 0;
  border-radius: 2px;
  background: var(--jp-layout-color2);
  color: var(--jp-ui-font-color1);
  font: inherit;
  cursor: pointer;
}
.jp-nbml-button:hover { background: var(--jp-layout-color3); }
/* Darker than the state's own blue, so that white text on it is read by everybody (5.1:1). */
.jp-nbml-button.jp-nbml-primary { background: #2f6dbd; color: #fff; }
.jp-nbml-button.jp-nbml-primary:hover { background: #285fa6; }
.jp-nbml-button:disabled { opacity: 0.5; cursor: default; }

.jp-nbml-panel :focus-visible,
.jp-nbml-result :focus-visible,
.jp-nbml-detail :focus-visible,
.jp-nbml-dialog :focus-visible {
  outline: 2px solid var(--jp-nbml-running);
  outline-offset: 1px;
}

/* ---- side panel ---- */

.jp-nbml-panel {
  min-width: 240px;
  overflow: hidden auto;
  padding-bottom: 12px;
  background: var(--jp-layout-color1);
  color: var(--jp-ui-font-color1);
  font-size: var(--jp-ui-font-size1);
}
.jp-nbml-panel p { margin: 0; }

.jp-nbml-head {
  display: flex;
  align-items: baseline;
  justify-content: space-between;
  gap: 12px;
  padding: 8px 12px;
  border-bottom: 1px solid var(--jp-border-color2);
}
.jp-nbml-head h2 {
  margin: 0;
  font-size: var(--jp-ui-font-size0);
  font-weight: 600;
  letter-spacing: 0.6px;
  text-transform: uppercase;
}
.jp-nbml-head span {
  overflow: hidden;
  color: var(--jp-ui-font-color2);
  font-size: var(--jp-ui-font-size0);
  text-overflow: ellipsis;
  white-space: nowrap;
}

.jp-nbml-step {
  padding: 9px 12px;
  border-bottom: 1px solid var(--jp-border-color2);
  background: color-mix(in srgb, var(--jp-nbml-state) 10%, transparent);
  line-height: 1.5;
}
.jp-nbml-empty {
  padding: 14px 12px;
  line-height: 1.5;
}
.jp-nbml-empty .jp-nbml-act { margin-top: 8px; }

.jp-nbml-act {
  display: flex;
  align-items: baseline;
  justify-content: space-between;
  gap: 12px;
}
.jp-nbml-act code {
  overflow: hidden;
  text-overflow: ellipsis;
  white-space: nowrap;
}
.jp-nbml-act .jp-nbml-link { flex: none; margin-left: auto; }
/* The line is there to be read: it is never cut, the link goes below it. */
.jp-nbml-panel .jp-nbml-act { flex-wrap: wrap; gap: 2px 12px; }
.jp-nbml-panel .jp-nbml-act code { white-space: normal; overflow-wrap: anywhere; }

.jp-nbml-sections section { padding-top: 4px; }
.jp-nbml-sections h3 {
  display: flex;
  justify-content: space-between;
  margin: 0;
  padding: 5px 12px 3px;
  font-size: var(--jp-ui-font-size1);
  font-weight: 600;
}
.jp-nbml-sections [data-empty] h3 { color: var(--jp-ui-font-color2); font-weight: 400; }
.jp-nbml-count { color: var(--jp-ui-font-color2); font-weight: 400; }
.jp-nbml-sections ul { margin: 0; padding: 0; list-style: none; }

.jp-nbml-row { position: relative; container-type: inline-size; }
/* In a narrow panel the name and the figure matter more than the curve. */
@container (max-width: 300px) {
  .jp-nbml-main .jp-nbml-spark { display: none; }
}
@container (max-width: 230px) {
  .jp-nbml-main .jp-nbml-strip { display: none; }
}
.jp-nbml-row:hover,
.jp-nbml-row:focus-within { background: var(--jp-layout-color2); }
.jp-nbml-main {
  display: flex;
  align-items: center;
  gap: 8px;
  box-sizing: border-box;
  width: 100%;
  min-height: 28px;
  padding: 3px 12px 3px 14px;
  border: 0;
  background: none;
  color: inherit;
  font: inherit;
  text-align: left;
  cursor: pointer;
}
.jp-nbml-panel .jp-nbml-main:focus-visible,
.jp-nbml-panel .jp-nbml-kebab:focus-visible { outline-offset: -2px; }
.jp-nbml-name {
  flex: 0 1 auto; /* a name is whole as long as it leaves a third of the row */
  min-width: 6em;
  overflow: hidden;
  font-weight: 500;
  text-overflow: ellipsis;
  white-space: nowrap;
}
.jp-nbml-figure {
  flex: 0 1000 auto; /* cut before a name is */
  min-width: 30%;
  margin-left: auto;
  overflow: hidden;
  color: var(--jp-ui-font-color2);
  font-size: 12px;
  font-variant-numeric: tabular-nums;
  text-align: right;
  text-overflow: ellipsis;
  white-space: nowrap;
}
.jp-nbml-kebab {
  position: absolute;
  top: 0;
  right: 0;
  width: 24px;
  height: 100%;
  padding: 0;
  border: 0;
  background: var(--jp-layout-color2);
  color: var(--jp-ui-font-color1);
  font: inherit;
  cursor: pointer;
  opacity: 0;
}
.jp-nbml-row:hover .jp-nbml-kebab,
.jp-nbml-kebab:focus { opacity: 1; }
.jp-nbml-row:hover .jp-nbml-main,
.jp-nbml-row:focus-within .jp-nbml-main { padding-right: 28px; }
.jp-nbml-all { padding: 3px 12px 3px 30px; font-size: 12px; }
.jp-nbml-menu .lm-Menu-itemLabel { font-size: 12px; }

/* ---- results ---- */

.jp-nbml-result {
  max-width: 860px;
  padding: 4px 0;
  overflow: hidden;
  color: var(--jp-ui-font-color1);
  font-family: var(--jp-ui-font-family);
  font-size: var(--jp-ui-font-size1);
  line-height: 1.6;
}
.jp-nbml-result section {
  padding-left: 12px;
  border-left: 3px solid var(--jp-nbml-state);
}
.jp-nbml-result p { margin: 3px 0; }
.jp-nbml-title {
  display: flex;
  align-items: baseline;
  gap: 8px;
}
.jp-nbml-title > .jp-nbml-chip { flex: none; }
.jp-nbml-result a { color: var(--jp-content-link-color); text-decoration: underline; }
.jp-nbml-result details { margin: 3px 0; }
.jp-nbml-result summary {
  width: fit-content;
  cursor: pointer;
  color: var(--jp-ui-font-color2);
}
.jp-nbml-next {
  display: flex;
  flex-wrap: wrap;
  align-items: baseline;
  gap: 6px;
}
.jp-nbml-line {
  padding: 0;
  border: 0;
  background: none;
  color: inherit;
  font: inherit;
  text-align: left;
  cursor: pointer;
}
/* A proposed cell has several lines. */
.jp-nbml-next code { display: inline-block; line-height: 1.45; white-space: pre-wrap; text-align: left; overflow-wrap: anywhere; }
.jp-nbml-line:hover code { background: color-mix(in srgb, var(--jp-nbml-running) 25%, transparent); }

.jp-nbml-progress { display: flex; align-items: center; gap: 8px; }
.jp-nbml-progress progress {
  width: 160px;
  height: 6px;
  overflow: hidden;
  border: 0;
  border-radius: 3px;
  background: color-mix(in srgb, var(--jp-nbml-idle) 25%, transparent);
  accent-color: var(--jp-nbml-running);
}
.jp-nbml-progress progress[value] { appearance: none; }
.jp-nbml-progress progress::-webkit-progress-bar { background: transparent; }
.jp-nbml-progress progress::-webkit-progress-value { background: var(--jp-nbml-running); }
.jp-nbml-progress progress::-moz-progress-bar { background: var(--jp-nbml-running); }

.jp-nbml-bar {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  gap: 10px;
  margin: 6px 0 2px;
}
.jp-nbml-bar .jp-nbml-input { width: 180px; }
.jp-nbml-scroll {
  max-height: 360px;
  margin: 4px 0;
  overflow: auto;
}
.jp-nbml-detail .jp-nbml-scroll { max-height: none; }
.jp-nbml-detail .jp-nbml-scroll td { max-width: 560px; }
.jp-nbml-scroll table {
  border-spacing: 0;
  border-collapse: separate;
  font-size: inherit;
}
.jp-nbml-scroll th {
  position: sticky;
  top: 0;
  padding: 0;
  border-bottom: 1px solid var(--jp-border-color1);
  background: var(--jp-layout-color0);
  text-align: left;
}
.jp-nbml-scroll th button {
  width: 100%;
  padding: 3px 10px;
  border: 0;
  background: none;
  color: var(--jp-ui-font-color2);
  font: inherit;
  font-weight: 600;
  text-align: inherit;
  white-space: nowrap;
  cursor: pointer;
}
.jp-nbml-scroll th button:hover { color: var(--jp-ui-font-color1); }
.jp-nbml-scroll th[aria-sort='ascending'] button::after { content: ' \\25b4'; }
.jp-nbml-scroll th[aria-sort='descending'] button::after { content: ' \\25be'; }
.jp-nbml-scroll td {
  max-width: 360px;
  padding: 3px 10px;
  overflow: hidden;
  border-bottom: 1px solid var(--jp-border-color2);
  text-align: left;
  text-overflow: ellipsis;
  white-space: nowrap;
}
.jp-nbml-scroll td[data-code] { max-width: 400px; }
/* Where there is little room, the figures beside a name matter more than all of the name. */
.jp-nbml-table { container-type: inline-size; }
@container (max-width: 560px) {
  .jp-nbml-scroll td,
  .jp-nbml-scroll td[data-code] { max-width: 170px; }
}
.jp-nbml-scroll [data-right] { text-align: right; font-variant-numeric: tabular-nums; }
.jp-nbml-scroll td[data-bar] {
  background: linear-gradient(
    to right,
    color-mix(in srgb, var(--jp-nbml-bar) 30%, transparent) var(--jp-nbml-share),
    transparent var(--jp-nbml-share)
  );
}
.jp-nbml-scroll td[data-barred] { min-width: 90px; }
.jp-nbml-scroll td[data-mark] {
  background:
    linear-gradient(
      to right,
      transparent var(--jp-nbml-mark),
      color-mix(in srgb, var(--jp-nbml-idle) 90%, transparent) var(--jp-nbml-mark),
      color-mix(in srgb, var(--jp-nbml-idle) 90%, transparent) calc(var(--jp-nbml-mark) + 1px),
      transparent calc(var(--jp-nbml-mark) + 1px)
    ),
    linear-gradient(
      to right,
      color-mix(in srgb, var(--jp-nbml-bar) 30%, transparent) var(--jp-nbml-share),
      transparent var(--jp-nbml-share)
    );
}
[data-bar='well'] { --jp-nbml-bar: var(--jp-nbml-well); }
[data-bar='look'] { --jp-nbml-bar: var(--jp-nbml-look); }
[data-bar='bad'] { --jp-nbml-bar: var(--jp-nbml-bad); }
[data-bar='running'] { --jp-nbml-bar: var(--jp-nbml-running); }
[data-bar='idle'] { --jp-nbml-bar: var(--jp-nbml-idle); }

.jp-nbml-code {
  max-height: 360px;
  margin: 4px 0;
  padding: 8px 10px;
  overflow: auto;
  border-radius: 2px;
  background: var(--jp-cell-editor-background);
  color: var(--jp-ui-font-color1);
  font-family: var(--jp-code-font-family);
  font-size: var(--jp-code-font-size);
  line-height: 1.45;
  white-space: pre;
}
/* JupyterLab breaks the lines of every pre in an output, within words too. */
.jp-nbml-result .jp-nbml-code,
.jp-OutputArea-output .jp-nbml-result .jp-nbml-code {
  padding: 8px 10px;
  white-space: pre;
  word-break: normal;
  overflow-wrap: normal;
}
.jp-nbml-result .jp-nbml-code code { padding: 0; background: none; font-size: inherit; }

.jp-nbml-picture {
  padding: 0;
  border: 0;
  background: none;
  color: inherit;
  cursor: zoom-in;
}
.jp-nbml-dialog.jp-nbml-large { width: min(720px, calc(100vw - 32px)); }
.jp-nbml-axes { display: block; width: 100%; max-width: 860px; height: auto; }
.jp-nbml-history .jp-nbml-axes { max-width: none; }
.jp-nbml-axes path { fill: none; stroke: var(--jp-nbml-state); stroke-width: 1.5; stroke-linejoin: round; }
.jp-nbml-axes circle { fill: var(--jp-nbml-state); }
.jp-nbml-axes circle[data-shown] { stroke: var(--jp-ui-font-color1); stroke-width: 1.5; }
.jp-nbml-axes line { stroke: var(--jp-border-color2); }
.jp-nbml-axes text { fill: var(--jp-ui-font-color2); font-size: 12px; font-variant-numeric: tabular-nums; }
.jp-nbml-legend { display: flex; align-items: center; gap: 6px; }
.jp-nbml-key-was { width: 10px; height: 10px; background: color-mix(in srgb, var(--jp-nbml-idle) 50%, transparent); }
.jp-nbml-key-is { width: 10px; height: 10px; margin-left: 10px; border: 1.2px solid var(--jp-nbml-running); }

.jp-nbml-fold {
  width: 1.4em;
  margin-left: -0.4em;
  padding: 0;
  border: 0;
  background: none;
  color: var(--jp-ui-font-color2);
  font: inherit;
  cursor: pointer;
}
.jp-nbml-scroll .jp-nbml-unfolded > td { max-width: none; padding: 2px 10px 8px 24px; white-space: normal; }
.jp-nbml-values th,
.jp-nbml-values td { position: static; padding: 1px 14px 1px 0; border: 0; color: var(--jp-ui-font-color2); font-weight: 400; }
.jp-nbml-values td { color: var(--jp-ui-font-color1); }

/* ---- histories: of a dataset, of checks ---- */

.jp-nbml-history .jp-nbml-result + .jp-nbml-result { margin-top: 16px; }
/* The head of a history names what the view is about; the rule on the left is the report's below. */
.jp-nbml-history > .jp-nbml-result:first-child > section { padding-left: 0; border-left: 0; }
.jp-nbml-detail .jp-nbml-history > .jp-nbml-result:first-child .jp-nbml-scroll { max-height: 300px; }
.jp-nbml-acts {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  gap: 10px;
  margin: 8px 0;
}
.jp-nbml-keys { width: 110px; }
.jp-nbml-scroll .jp-nbml-versions { width: 100%; }
.jp-nbml-scroll .jp-nbml-versions th {
  padding: 3px 10px;
  color: var(--jp-ui-font-color2);
  font-weight: 600;
  white-space: nowrap;
}
.jp-nbml-scroll .jp-nbml-versions tr[data-shown] td { background: color-mix(in srgb, var(--jp-nbml-running) 10%, transparent); }
.jp-nbml-scroll td.jp-nbml-pick { width: 1%; padding: 3px 4px; text-align: center; }
.jp-nbml-scroll td.jp-nbml-pick input { margin: 0; vertical-align: middle; accent-color: var(--jp-nbml-running); }
.jp-nbml-scroll td.jp-nbml-note { max-width: 220px; }
.jp-nbml-chips { display: inline-flex; gap: 4px; }
.jp-nbml-checks { display: flex; flex-wrap: wrap; gap: 4px; margin: 8px 0 4px; padding: 4px; }
.jp-nbml-checks button {
  width: 12px;
  height: 22px;
  padding: 0;
  border: 0;
  border-radius: 2px;
  background: linear-gradient(to top, var(--jp-nbml-state) 55%, color-mix(in srgb, var(--jp-nbml-state) 18%, transparent) 55%);
  cursor: pointer;
}
/* Not by colour alone: a check that failed is full. */
.jp-nbml-checks button[data-state='bad'] { background: var(--jp-nbml-state); }
.jp-nbml-checks button[aria-pressed='true'] { box-shadow: 0 0 0 2px var(--jp-layout-color0), 0 0 0 3.5px var(--jp-ui-font-color1); }

/* ---- detail ---- */

.jp-nbml-detail {
  padding: 20px 24px;
  overflow: auto;
  background: var(--jp-layout-color0);
  color: var(--jp-ui-font-color1);
  font-size: var(--jp-ui-font-size1);
}
.jp-nbml-detail:focus { outline: none; }
.jp-nbml-detail .jp-nbml-result { max-width: 1100px; }
.jp-nbml-detail h3 { margin: 20px 0 6px; font-size: var(--jp-ui-font-size1); font-weight: 600; }

/* ---- try-it form ---- */

.jp-nbml-try { max-width: 720px; line-height: 1.5; }
.jp-nbml-try p { margin: 6px 0; }
.jp-nbml-try > p:first-child {
  display: flex;
  flex-wrap: wrap;
  align-items: baseline;
  gap: 12px;
}
.jp-nbml-label { display: grid; gap: 4px; }
.jp-nbml-try textarea {
  width: 100%;
  resize: vertical;
  font-family: var(--jp-code-font-family);
  font-size: var(--jp-code-font-size);
  line-height: 1.45;
}
.jp-nbml-problem { color: var(--jp-error-color1); }
.jp-nbml-reply { padding-left: 12px; border-left: 3px solid var(--jp-nbml-state); }
.jp-nbml-prediction { font-size: var(--jp-ui-font-size2); }
.jp-nbml-reply summary { width: fit-content; cursor: pointer; color: var(--jp-ui-font-color2); }
.jp-nbml-reply .jp-nbml-code { max-height: 180px; }

/* ---- Deploy ---- */

.jp-nbml-dialog {
  box-sizing: border-box;
  width: min(520px, calc(100vw - 32px));
  max-height: calc(100vh - 64px);
  padding: 0;
  overflow: auto;
  border: 1px solid var(--jp-border-color1);
  border-radius: 4px;
  background: var(--jp-layout-color1);
  color: var(--jp-ui-font-color1);
  font-family: var(--jp-ui-font-family);
  font-size: var(--jp-ui-font-size1);
  line-height: 1.5;
}
.jp-nbml-dialog::backdrop { background: rgba(0, 0, 0, 0.4); }
.jp-nbml-dialog h2 {
  margin: 0;
  padding: 14px 16px 6px;
  font-size: 15px;
  font-weight: 600;
}
.jp-nbml-body { padding: 4px 16px 10px; }
.jp-nbml-body p { margin: 8px 0; }
.jp-nbml-fields {
  display: grid;
  grid-template-columns: 90px minmax(0, 1fr);
  gap: 8px 10px;
  align-items: center;
  margin-bottom: 10px;
}
.jp-nbml-fields label { color: var(--jp-ui-font-color2); }
.jp-nbml-fixed { padding: 4px 0; }
.jp-nbml-body .jp-nbml-risk {
  margin: 6px 0;
  padding: 6px 10px;
  border-left: 3px solid var(--jp-nbml-state);
  background: color-mix(in srgb, var(--jp-nbml-state) 10%, transparent);
  overflow-wrap: anywhere;
  white-space: pre-line;
}
.jp-nbml-plan { margin: 8px 0; padding-left: 20px; }
.jp-nbml-plan li { margin: 3px 0; }
.jp-nbml-dialog footer {
  display: flex;
  justify-content: flex-end;
  gap: 8px;
  padding: 12px 16px;
  border-top: 1px solid var(--jp-border-color2);
}

@media (prefers-reduced-motion: no-preference) {
  .jp-nbml-progress progress::-webkit-progress-value { transition: width 0.25s; }
}
`,""]),r.d(e,{},{A:a})},25(n,e,r){var l=r(23),t=r.n(l),o=r(24),a=(r.n(o))()(t());a.push([n.id,`/* ---- curves, parallel coordinates, differences ---- */

.jp-nbml-plot { margin: 8px 0; }
.jp-nbml-plot figcaption { min-height: 1.6em; }
.jp-nbml-curves,
.jp-nbml-parallel { display: block; width: 100%; height: auto; }
.jp-nbml-curves { max-width: 660px; }
.jp-nbml-curves line { stroke: var(--jp-border-color2); }
.jp-nbml-curves text,
.jp-nbml-parallel text { fill: var(--jp-ui-font-color2); font-size: 11px; font-variant-numeric: tabular-nums; }
.jp-nbml-curves path,
.jp-nbml-parallel path { fill: none; stroke-width: 1.5; stroke-linejoin: round; stroke-linecap: round; }
.jp-nbml-plot [data-faded] { opacity: 0.15; }

.jp-nbml-plot .jp-nbml-legend { display: flex; flex-flow: row wrap; gap: 2px 14px; }
.jp-nbml-plot .jp-nbml-legend span { display: inline-flex; align-items: center; gap: 5px; }

.jp-nbml-parallel { touch-action: pan-x; user-select: none; }
.jp-nbml-parallel .jp-nbml-axis > line { stroke: var(--jp-border-color1); stroke-width: 1.2; }
.jp-nbml-parallel .jp-nbml-axis > text:not(.jp-nbml-tick) { fill: var(--jp-ui-font-color1); font-weight: 600; }
/* Numbers are read over the lines that cross them. */
.jp-nbml-parallel .jp-nbml-tick { paint-order: stroke; stroke: var(--jp-layout-color0); stroke-width: 3px; }
.jp-nbml-parallel .jp-nbml-reach { stroke: transparent; stroke-width: 11; }
.jp-nbml-grip { fill: transparent; cursor: ns-resize; }
.jp-nbml-brush { fill: var(--jp-nbml-running); fill-opacity: 0.3; stroke: var(--jp-nbml-running); pointer-events: none; }

.jp-nbml-diff {
  overflow-x: auto;
  max-height: 420px;
  padding: 4px 0;
  font-family: var(--jp-code-font-family);
  font-size: var(--jp-code-font-size);
  line-height: 1.45;
}
.jp-nbml-diff > div { display: flex; width: max-content; min-width: 100%; }
.jp-nbml-diff span { flex: none; width: 22px; text-align: center; opacity: 0.65; user-select: none; }
.jp-nbml-result .jp-nbml-diff code { padding: 0 8px 0 0; background: none; font-size: inherit; white-space: pre; }
.jp-nbml-diff [data-sign='-'] { background: color-mix(in srgb, var(--jp-nbml-bad) 14%, transparent); }
.jp-nbml-diff [data-sign='+'] { background: color-mix(in srgb, var(--jp-nbml-well) 14%, transparent); }
.jp-nbml-diff [data-sign='…'] { opacity: 0.65; font-style: italic; }
`,""]),r.d(e,{},{A:a})},26(n,e,r){var l=r(23),t=r.n(l),o=r(24),a=(r.n(o))()(t());a.push([n.id,`/* ---- the list of runs in the panel ---- */

.jp-nbml-runs-bar { display: flex; gap: 6px; padding: 4px 12px; }
.jp-nbml-runs-bar input { flex: 1 1 0; }
.jp-nbml-runs-bar select { flex: 0 1 104px; min-width: 0; }
.jp-nbml-runs-said {
  display: flex;
  flex-wrap: wrap;
  gap: 2px 12px;
  padding: 1px 12px 4px;
  color: var(--jp-ui-font-color2);
  font-size: 12px;
}
.jp-nbml-runs-said .jp-nbml-compare { margin-left: auto; }
.jp-nbml-lines {
  overflow: hidden auto;
  max-height: max(224px, 60vh);
  overscroll-behavior: contain;
}
.jp-nbml-lines .jp-nbml-row { display: flex; align-items: center; height: 28px; }
.jp-nbml-lines .jp-nbml-main { height: 28px; min-width: 0; }
.jp-nbml-lines .jp-nbml-run .jp-nbml-main { padding-left: 6px; }
.jp-nbml-run .jp-nbml-name { display: flex; flex: 0 1 auto; }
.jp-nbml-run .jp-nbml-name > :first-child { overflow: hidden; text-overflow: ellipsis; }
.jp-nbml-run .jp-nbml-name > :last-child { flex: none; } /* the version tells two runs apart: it is never cut */
.jp-nbml-run .jp-nbml-figure { min-width: 3em; text-overflow: ellipsis; white-space: nowrap; }
.jp-nbml-lines input { flex: none; margin: 0 0 0 12px; }
.jp-nbml-lines .jp-nbml-row:hover .jp-nbml-main,
.jp-nbml-lines .jp-nbml-row:focus-within .jp-nbml-main { padding-right: 12px; }
.jp-nbml-group { background: var(--jp-layout-color1); font-weight: 600; }
.jp-nbml-group .jp-nbml-main > span:first-child { width: 8px; }
`,""]),r.d(e,{},{A:a})},24(n){n.exports=function(n){var e=[];return e.toString=function(){return this.map(function(e){var r="",l=void 0!==e[5];return e[4]&&(r+="@supports (".concat(e[4],") {")),e[2]&&(r+="@media ".concat(e[2]," {")),l&&(r+="@layer".concat(e[5].length>0?" ".concat(e[5]):""," {")),r+=n(e),l&&(r+="}"),e[2]&&(r+="}"),e[4]&&(r+="}"),r}).join("")},e.i=function(n,r,l,t,o){"string"==typeof n&&(n=[[null,n,void 0]]);var a={};if(l)for(var p=0;p<this.length;p++){var i=this[p][0];null!=i&&(a[i]=!0)}for(var s=0;s<n.length;s++){var b=[].concat(n[s]);l&&a[b[0]]||(void 0!==o&&(void 0===b[5]||(b[1]="@layer".concat(b[5].length>0?" ".concat(b[5]):""," {").concat(b[1],"}")),b[5]=o),r&&(b[2]&&(b[1]="@media ".concat(b[2]," {").concat(b[1],"}")),b[2]=r),t&&(b[4]?(b[1]="@supports (".concat(b[4],") {").concat(b[1],"}"),b[4]=t):b[4]="".concat(t)),e.push(b))}},e}},23(n){n.exports=function(n){return n[1]}},16(n){var e=[];function r(n){for(var r=-1,l=0;l<e.length;l++)if(e[l].identifier===n){r=l;break}return r}function l(n,l){for(var t={},o=[],a=0;a<n.length;a++){var p=n[a],i=l.base?p[0]+l.base:p[0],s=t[i]||0,b="".concat(i," ").concat(s);t[i]=s+1;var d=r(b),m={css:p[1],media:p[2],sourceMap:p[3],supports:p[4],layer:p[5]};if(-1!==d)e[d].references++,e[d].updater(m);else{var c=function(n,e){var r=e.domAPI(e);return r.update(n),function(e){e?(e.css!==n.css||e.media!==n.media||e.sourceMap!==n.sourceMap||e.supports!==n.supports||e.layer!==n.layer)&&r.update(n=e):r.remove()}}(m,l);l.byIndex=a,e.splice(a,0,{identifier:b,updater:c,references:1})}o.push(b)}return o}n.exports=function(n,t){var o=l(n=n||[],t=t||{});return function(n){n=n||[];for(var a=0;a<o.length;a++){var p=r(o[a]);e[p].references--}for(var i=l(n,t),s=0;s<o.length;s++){var b=r(o[s]);0===e[b].references&&(e[b].updater(),e.splice(b,1))}o=i}}},18(n){var e={};n.exports=function(n,r){var l=function(n){if(void 0===e[n]){var r=document.querySelector(n);if(window.HTMLIFrameElement&&r instanceof window.HTMLIFrameElement)try{r=r.contentDocument.head}catch(n){r=null}e[n]=r}return e[n]}(n);if(!l)throw Error("Couldn't find a style target. This probably means that the value for the 'insert' parameter is invalid.");l.appendChild(r)}},20(n){n.exports=function(n){var e=document.createElement("style");return n.setAttributes(e,n.attributes),n.insert(e,n.options),e}},19(n,e,r){n.exports=function(n){var e=r.nc;e&&n.setAttribute("nonce",e)}},17(n){n.exports=function(n){if("u"<typeof document)return{update:function(){},remove:function(){}};var e=n.insertStyleElement(n);return{update:function(r){var l,t,o;l="",r.supports&&(l+="@supports (".concat(r.supports,") {")),r.media&&(l+="@media ".concat(r.media," {")),(t=void 0!==r.layer)&&(l+="@layer".concat(r.layer.length>0?" ".concat(r.layer):""," {")),l+=r.css,t&&(l+="}"),r.media&&(l+="}"),r.supports&&(l+="}"),(o=r.sourceMap)&&"u">typeof btoa&&(l+="\n/*# sourceMappingURL=data:application/json;base64,".concat(btoa(unescape(encodeURIComponent(JSON.stringify(o))))," */")),n.styleTagTransform(l,e,n.options)},remove:function(){var n;null===(n=e).parentNode||n.parentNode.removeChild(n)}}}},21(n){n.exports=function(n,e){if(e.styleSheet)e.styleSheet.cssText=n;else{for(;e.firstChild;)e.removeChild(e.firstChild);e.appendChild(document.createTextNode(n))}}},15(n,e,r){var l=r(16),t=r.n(l),o=r(17),a=r.n(o),p=r(18),i=r.n(p),s=r(19),b=r.n(s),d=r(20),m=r.n(d),c=r(21),j=r.n(c),u=r(22),f={};f.styleTagTransform=j(),f.setAttributes=b(),f.insert=i().bind(null,"head"),f.domAPI=a(),f.insertStyleElement=m(),t()(u.A,f),u.A&&u.A.locals&&u.A.locals;var x=r(25),g={};g.styleTagTransform=j(),g.setAttributes=b(),g.insert=i().bind(null,"head"),g.domAPI=a(),g.insertStyleElement=m(),t()(x.A,g),x.A&&x.A.locals&&x.A.locals;var h=r(26),v={};v.styleTagTransform=j(),v.setAttributes=b(),v.insert=i().bind(null,"head"),v.domAPI=a(),v.insertStyleElement=m(),t()(h.A,v),h.A&&h.A.locals&&h.A.locals}}]);