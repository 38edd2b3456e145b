export interface Problem {
  readonly file: string;
  readonly line: number;
  /** What was found and what was expected. */
  readonly message: string;
}
