import { plain } from "../../src/cli/paint.ts";
import type { Terminal } from "../../src/cli/terminal.ts";

/** Keeps what is said, and answers questions with what the test gives. */
export class RecordedTerminal implements Terminal {
  readonly paint = plain;
  readonly width: number | undefined;
  readonly printed: string[] = [];
  readonly told: string[] = [];
  readonly drawn: string[] = [];
  readonly questions: string[] = [];
  readonly #answers: string[];

  constructor(answers: readonly string[] = [], width?: number) {
    this.#answers = [...answers];
    this.width = width;
  }

  print(text: string): void {
    this.printed.push(text);
  }

  tell(text: string): void {
    this.told.push(text);
  }

  redraw(text: string): void {
    this.drawn.push(text);
  }

  ask(question: string): Promise<string | undefined> {
    this.questions.push(question);
    return Promise.resolve(this.#answers.shift());
  }

  /** All that anybody could see of it. */
  get everything(): string {
    return [...this.printed, ...this.told, ...this.drawn, ...this.questions].join("\n");
  }
}
