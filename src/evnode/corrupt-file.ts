/** A file that does not hold what its format promises. The world's fault: readers turn it into a value. */
export class CorruptFile extends Error {
  constructor(why: string) {
    super(why);
    this.name = "CorruptFile";
  }
}
