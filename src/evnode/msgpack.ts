import { CorruptFile } from "./corrupt-file.ts";

/**
 * The part of MessagePack that hashicorp's raft uses, in its old form: texts and bytes share one type ("raw"), times
 * are raw too, and there are no extensions.
 */
export type Msgpack = null | boolean | bigint | Buffer | readonly Msgpack[] | ReadonlyMap<string, Msgpack>;

type Header = { readonly fix: number; readonly fixLimit: number; readonly wide: number };

const rawHeader: Header = { fix: 0xa0, fixLimit: 32, wide: 0xda };
const arrayHeader: Header = { fix: 0x90, fixLimit: 16, wide: 0xdc };
const mapHeader: Header = { fix: 0x80, fixLimit: 16, wide: 0xde };
const deepestNesting = 8;

export function encodeMsgpack(value: Msgpack): Buffer {
  if (value === null) return Buffer.of(0xc0);
  if (typeof value === "boolean") return Buffer.of(value ? 0xc3 : 0xc2);
  if (typeof value === "bigint") return encodeUnsigned(value);
  if (Buffer.isBuffer(value)) return Buffer.concat([header(rawHeader, value.length), value]);
  if (value instanceof Map) return encodeMap(value);
  if (Array.isArray(value))
    return Buffer.concat([header(arrayHeader, value.length), ...value.map(encodeMsgpack)]);
  throw new TypeError("not a MessagePack value");
}

export function raw(text: string): Buffer {
  return Buffer.from(text, "utf8");
}

function encodeMap(map: ReadonlyMap<string, Msgpack>): Buffer {
  const entries = [...map].flatMap(([key, value]) => [encodeMsgpack(raw(key)), encodeMsgpack(value)]);
  return Buffer.concat([header(mapHeader, map.size), ...entries]);
}

function header({ fix, fixLimit, wide }: Header, length: number): Buffer {
  if (length < fixLimit) return Buffer.of(fix | length);

  const wider = length <= 0xffff ? Buffer.alloc(3) : Buffer.alloc(5);
  wider.writeUInt8(length <= 0xffff ? wide : wide + 1);
  wider.writeUIntBE(length, 1, wider.length - 1);
  return wider;
}

function encodeUnsigned(value: bigint): Buffer {
  if (value < 0n) throw new RangeError("only unsigned numbers are written");
  if (value < 0x80n) return Buffer.of(Number(value));

  const width = value <= 0xffn ? 1 : value <= 0xffffn ? 2 : value <= 0xffff_ffffn ? 4 : 8;
  const bytes = Buffer.alloc(9);
  bytes.writeBigUInt64BE(value, 1);
  return Buffer.concat([Buffer.of(0xcc + Math.log2(width)), bytes.subarray(9 - width)]);
}

/** Reads one value that fills the whole buffer. Raw values are views into it, not copies. */
export function decodeMsgpack(bytes: Buffer): Msgpack {
  const reader = new MsgpackReader(bytes);
  const value = reader.value(0);
  if (!reader.isAtEnd()) throw new CorruptFile("bytes follow a complete MessagePack value");
  return value;
}

class MsgpackReader {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  isAtEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }

  value(depth: number): Msgpack {
    if (depth > deepestNesting) throw new CorruptFile("a MessagePack value is nested too deeply");

    const type = this.#number(1);
    if (type < 0x80) return BigInt(type);
    if (type < 0x90) return this.#map(type & 0x0f, depth);
    if (type < 0xa0) return this.#array(type & 0x0f, depth);
    if (type < 0xc0) return this.#take(type & 0x1f);
    if (type >= 0xe0) return BigInt(type - 0x100);
    return this.#marked(type, depth);
  }

  #marked(type: number, depth: number): Msgpack {
    switch (type) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
      case 0xd9:
        return this.#take(this.#number(1));
      case 0xc5:
      case 0xda:
        return this.#take(this.#number(2));
      case 0xc6:
      case 0xdb:
        return this.#take(this.#number(4));
      case 0xcc:
        return BigInt(this.#number(1));
      case 0xcd:
        return BigInt(this.#number(2));
      case 0xce:
        return BigInt(this.#number(4));
      case 0xcf:
        return this.#take(8).readBigUInt64BE();
      case 0xdc:
        return this.#array(this.#number(2), depth);
      case 0xdd:
        return this.#array(this.#number(4), depth);
      case 0xde:
        return this.#map(this.#number(2), depth);
      case 0xdf:
        return this.#map(this.#number(4), depth);
      default:
        throw new CorruptFile(`MessagePack type 0x${type.toString(16)} is not one that raft writes`);
    }
  }

  #array(length: number, depth: number): readonly Msgpack[] {
    const values: Msgpack[] = [];
    for (let index = 0; index < length; index += 1) values.push(this.value(depth + 1));
    return values;
  }

  #map(length: number, depth: number): ReadonlyMap<string, Msgpack> {
    const map = new Map<string, Msgpack>();
    for (let index = 0; index < length; index += 1) {
      const key = this.value(depth + 1);
      if (!Buffer.isBuffer(key)) throw new CorruptFile("a MessagePack map has a key that is no text");
      map.set(key.toString("utf8"), this.value(depth + 1));
    }
    return map;
  }

  #number(width: number): number {
    return this.#take(width).readUIntBE(0, width);
  }

  #take(length: number): Buffer {
    const end = this.#offset + length;
    if (end > this.#bytes.length) throw new CorruptFile("a MessagePack value is cut off");

    const taken = this.#bytes.subarray(this.#offset, end);
    this.#offset = end;
    return taken;
  }
}
