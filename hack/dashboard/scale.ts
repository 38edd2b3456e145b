import type { Unit } from "./panels.ts";

/** An axis from `low` to `high`, with the values that are written beside it. */
export interface Scale {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
}

const INTERVALS = 4;

/** Round values around all that is to be shown; `min` where the panel has one. */
export function scaleFor(values: readonly number[], min: number | undefined): Scale {
  const finite = values.filter(Number.isFinite);
  const least = Math.min(min ?? Number.POSITIVE_INFINITY, ...finite);
  const most = Math.max(...finite);
  const range = most > least ? most - least : Math.abs(most) || 1;
  const step = roundUp(range / INTERVALS);
  const low = Math.floor(least / step) * step;
  const high = Math.max(low + step, Math.ceil(most / step) * step);
  const count = Math.round((high - low) / step);
  return { low, high, ticks: Array.from({ length: count + 1 }, (_, at) => low + at * step) };
}

function roundUp(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  const factor = [1, 2, 5, 10].find((one) => one * power >= step * 0.999) ?? 10;
  return factor * power;
}

/** A value as people read it. */
export function shown(value: number, unit: Unit): string {
  if (!Number.isFinite(value)) return "∞";
  switch (unit) {
    case "s":
      return seconds(value);
    case "percentunit":
      return `${trimmed(value * 100)}%`;
    case "reqps":
      return `${trimmed(value)} req/s`;
    case "none":
      return trimmed(value);
  }
}

function seconds(value: number): string {
  if (value === 0) return "0 s";
  if (Math.abs(value) < 0.001) return `${trimmed(value * 1e6)} µs`;
  if (Math.abs(value) < 1) return `${trimmed(value * 1e3)} ms`;
  return Math.abs(value) < 120 ? `${trimmed(value)} s` : `${trimmed(value / 60)} min`;
}

const trimmed = (value: number): string =>
  Math.abs(value) >= 1000 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
