import { escaped } from "../../svg.ts";
import { drawing, type Line, type Tone } from "./drawing.ts";
import { newsIn } from "./news.ts";
import type { Frame } from "./play.ts";

const size = { columns: 80, rows: 24 };
const [CHARACTER, LINE, MARGIN, BASE] = [8.4, 20, 24, 15];
const WIDTH = Math.ceil(size.columns * CHARACTER) + 2 * MARGIN;
const HEIGHT = (size.rows - 1) * LINE + 2 * MARGIN;
/** How many moments of each scene are shown, and for how long each. */
const MOMENTS = 3;
const MOMENT_SECONDS = 2;

/** Colours of a terminal with a dark background. */
const fills: Readonly<Record<Tone, string>> = {
  plain: "#d8dee6",
  quiet: "#8a97a6",
  strong: "#ffffff",
  good: "#7ec77f",
  busy: "#e5b64c",
  bad: "#f0837a",
  label: "#1f2933",
};

/**
 * The terminal view as a picture that moves, from moments of a run. Where nothing can move, the moment that tells most
 * stands still.
 */
export function picture(frames: readonly Frame[], speed: number): string {
  const moments = momentsOf(frames);
  const still = Math.max(0, moments.findIndex(isTelling));
  const groups = moments.map((frame, at) => {
    const lines = drawing(frame, speed, size).map(svgLine);
    const style = `animation-delay:${(at - moments.length) * MOMENT_SECONDS}s`;
    return `<g class="${at === still ? "moment still" : "moment"}" style="${style}">\n${lines.join("")}</g>`;
  });
  return [...head(moments.length), ...groups, "</svg>", ""].join("\n");
}

function head(moments: number): readonly string[] {
  const seconds = moments * MOMENT_SECONDS;
  const share = (100 / moments).toFixed(3);
  const tones = Object.entries(fills).map(([tone, fill]) => `.${tone}{fill:${fill}}`);
  return [
    "<!-- Drawn from a run of the demo by its option `picture`, and not by hand: see CONTRIBUTING.md. -->",
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img"`,
    `     font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">`,
    "<title>npm run demo</title>",
    "<desc>The terminal while the demo runs: a simulated cluster of three sequencers comes up, is upgraded, refuses",
    "a missing image, takes a bad one back, and goes on when its leader is killed.</desc>",
    "<style>",
    "text{white-space:pre}",
    tones.join(""),
    ".strong,.label{font-weight:600}",
    ".moment{visibility:hidden}.still{visibility:visible}",
    `@keyframes show{0%{visibility:visible}${share}%{visibility:hidden}}`,
    `@media (prefers-reduced-motion:no-preference){.moment{animation:show ${seconds}s step-end infinite}}`,
    "</style>",
    `<rect width="${WIDTH}" height="${HEIGHT}" rx="10" fill="#1f2933"/>`,
  ];
}

/** A few moments of each scene, from those at which something was new, the last one always. */
function momentsOf(frames: readonly Frame[]): readonly Frame[] {
  const [first] = frames;
  const scenes = first?.scenes.length ?? 0;
  return Array.from({ length: scenes }, (_, scene) => {
    const own = frames.filter(({ scenes: views }) => sceneOf(views) === scene);
    const news = own.filter((frame, at) => at === 0 || newsIn(own[at - 1], frame).length > 0);
    const count = Math.min(MOMENTS, news.length);
    const picked = Array.from(
      { length: count },
      (_, at) => news[Math.ceil(((at + 1) * news.length) / count) - 1],
    );
    return picked.flatMap((frame) => frame ?? []);
  }).flat();
}

const sceneOf = (views: Frame["scenes"]) => views.findLastIndex(({ state }) => state !== "toCome");

/** In the middle of the upgrade: one member is done, another one on its way. */
function isTelling({ look: { phase, updated, members } }: Frame): boolean {
  return phase === "Updating" && updated === "1/3" && members.some(({ ready }) => !ready);
}

function svgLine(line: Line, at: number): string {
  let column = 0;
  const y = MARGIN + at * LINE + BASE;
  const spans = line.map(({ text, tone }) => {
    const x = MARGIN + column * CHARACTER;
    column += text.length;
    const box = tone === "label" ? boxOf(x, y, text.length) : "";
    return { box, span: text.trim() === "" ? "" : spanOf(text, tone, x) };
  });
  const text = spans.map(({ span }) => span).join("");
  if (text === "") return "";
  return `${spans.map(({ box }) => box).join("")}<text y="${y}">${text}</text>\n`;
}

/** Each piece stands at its own place, so that columns are straight in every font. */
function spanOf(text: string, tone: Tone, x: number): string {
  const indent = text.length - text.trimStart().length;
  const at = Math.round((x + indent * CHARACTER) * 10) / 10;
  return `<tspan x="${at}" class="${tone}">${escaped(text.trim())}</tspan>`;
}

const boxOf = (x: number, y: number, columns: number) =>
  `<rect x="${x}" y="${y - BASE}" width="${Math.round(columns * CHARACTER)}" height="${LINE}" rx="3" fill="${fills.busy}"/>`;
