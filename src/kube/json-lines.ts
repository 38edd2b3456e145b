const NEWLINE = 0x0a;

/**
 * The JSON values of a stream that holds one per line. The stream may be cut anywhere; a last line without its end
 * is an error, because half an event is no event. Errors never quote the text: it may be a Secret.
 */
export async function* jsonLines(
  chunks: AsyncIterable<Uint8Array>,
  maxLineBytes: number,
): AsyncGenerator<unknown, void> {
  let parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      parts.push(chunk.subarray(start, end));
      const line = Buffer.concat(parts).toString("utf8");
      parts = [];
      length = 0;
      start = end + 1;
      if (line.trim() !== "") yield parse(line);
    }
    if (start === chunk.length) continue;
    parts.push(chunk.subarray(start));
    length += chunk.length - start;
    if (length > maxLineBytes) throw new BrokenStreamError(`a line is longer than ${maxLineBytes} bytes`);
  }
  if (parts.length > 0) throw new BrokenStreamError("the stream ended in the middle of a line");
}

class BrokenStreamError extends Error {
  override readonly name = "BrokenStreamError";
  /** Like any other broken connection, for the mapping of errors. */
  readonly code = "ECONNRESET";
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new BrokenStreamError(`a line of ${line.length} characters is not JSON`);
  }
}
