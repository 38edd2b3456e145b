import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { type LabelsOf, metricTable, type NameOf, type Series } from "./metric-table.ts";

/** What is written in a millisecond or two. */
const CHARACTERS_AT_ONCE = 50_000;

type Labels = Readonly<Record<string, string>>;

/** The metrics of the table, with the values that they have now. Names and labels are checked by the compiler. */
export class MetricRegistry {
  readonly #registry = new Registry();
  readonly #gauges = new Map<string, Gauge>();
  readonly #counters = new Map<string, Counter>();
  readonly #histograms = new Map<string, Histogram>();

  constructor() {
    for (const [name, definition] of Object.entries(metricTable)) {
      const common = {
        name,
        help: definition.help,
        labelNames: definition.labels,
        registers: [this.#registry],
      };
      if (definition.type === "gauge") this.#gauges.set(name, new Gauge(common));
      else if (definition.type === "counter") this.#counters.set(name, new Counter(common));
      else this.#histograms.set(name, new Histogram({ ...common, buckets: [...definition.buckets] }));
    }
  }

  set<N extends NameOf<"gauge">>(name: N, labels: LabelsOf<N>, value: number): void {
    this.#gauges.get(name)?.set(labels as Labels, value);
  }

  /** Sets one series of many. */
  put({ name, labels, value }: Series): void {
    this.#gauges.get(name)?.set(labels, value);
  }

  /** The series is told no more. */
  drop({ name, labels }: Series): void {
    this.#gauges.get(name)?.remove(labels);
  }

  add<N extends NameOf<"counter">>(name: N, labels: LabelsOf<N>, by = 1): void {
    this.#counters.get(name)?.inc(labels as Labels, by);
  }

  observe<N extends NameOf<"histogram">>(name: N, labels: LabelsOf<N>, value: number): void {
    this.#histograms.get(name)?.observe(labels as Labels, value);
  }

  /** Begins a histogram without a value: what is counted can be told from what is not there. */
  begin<N extends NameOf<"histogram">>(name: N, labels: LabelsOf<N>): void {
    this.#histograms.get(name)?.zero(labels);
  }

  /** The counter or histogram is told no more, and begins anew if it is told again. */
  end<N extends NameOf<"counter" | "histogram">>(name: N, labels: LabelsOf<N>): void {
    const metric = this.#counters.get(name) ?? this.#histograms.get(name);
    metric?.remove(labels as Labels);
  }

  /**
   * All series in Prometheus' text format. `pause` lets others work in between: with a thousand clusters the page has
   * seven megabytes, and the Lease has to be renewed meanwhile.
   */
  async text(pause: () => Promise<void>): Promise<string> {
    const parts: string[] = [];
    let sincePause = 0;
    for (const name of Object.keys(metricTable)) {
      const part = await this.#registry.getSingleMetricAsString(name);
      parts.push(part);
      sincePause += part.length;
      if (sincePause < CHARACTERS_AT_ONCE) continue;
      sincePause = 0;
      await pause();
    }
    return `${parts.join("\n\n")}\n`;
  }

  get contentType(): string {
    return this.#registry.contentType;
  }
}
