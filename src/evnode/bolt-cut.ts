import { type Bytes, bucketRoot, childAt, isLeaf, keyAt, openBolt, type Page } from "./bolt-reader.ts";
import { CorruptFile } from "./corrupt-file.ts";

/** Bytes to be written over those that are in a file. */
export interface Patch {
  readonly start: number;
  readonly bytes: Buffer;
}

/** Where a page's header has its number of elements. */
const COUNT_OFFSET = 10;

/**
 * What takes every entry behind `lastKept` out of a bucket of a file that no process has open: on the way from the root
 * to that entry, each page ends with it. Written in this order, one patch being durable before the next, the
 * entries that are left are a beginning of what there was, whatever is cut off. Pages that nothing leads to any more
 * stay unused in the file.
 */
export function cutBehind(file: Bytes, bucket: string, lastKept: Buffer): readonly Patch[] {
  const database = openBolt(file);
  const patches: Patch[] = [];
  let page = bucketRoot(database, bucket);
  while (page !== undefined) {
    const index = lastNotAbove(page, lastKept);
    if (index + 1 < page.count) patches.push(newCount(page, index + 1));
    if (isLeaf(page)) {
      if (!keyAt(page, index).equals(lastKept)) break;
      return patches;
    }
    page = childAt(database, page, index);
  }
  throw new CorruptFile(`the bucket ${bucket} has no entry ${lastKept.toString("hex")} to end with`);
}

function lastNotAbove(page: Page, key: Buffer): number {
  let index = page.count - 1;
  while (index > 0 && keyAt(page, index).compare(key) > 0) index -= 1;
  if (index < 0) throw new CorruptFile("a page of a bucket's tree is empty");
  return index;
}

function newCount({ start }: Page, count: number): Patch {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(count);
  return { start: start + COUNT_OFFSET, bytes };
}
