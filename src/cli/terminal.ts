import type { Paint } from "./paint.ts";

/** Where a command talks to people and programs. */
export interface Terminal {
  readonly paint: Paint;
  /** Columns of the screen; undefined when the output goes elsewhere. */
  readonly width: number | undefined;
  /** The result: to the standard output. */
  print(text: string): void;
  /** What goes on beside it: to the standard error. */
  tell(text: string): void;
  /** The same text in place of the one before; only where there is a screen. */
  redraw(text: string): void;
  /** A line that somebody types; undefined when nobody is there to ask. */
  ask(question: string, options: { readonly isHidden: boolean }): Promise<string | undefined>;
}
