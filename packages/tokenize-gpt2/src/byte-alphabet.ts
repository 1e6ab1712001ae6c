/**
 * The byte alphabet of GPT-2 (encoder.py, bytes_to_unicode): one printable character for each of the 256 bytes, so that
 * vocab.json and merges.txt are plain text. Printable Latin-1 stands for itself, the other bytes take U+0100 and up.
 */
function isPrintableLatin1(byte: number): boolean {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}

/** Character of each byte, 256 of them. */
export const byteAlphabet: readonly string[] = buildAlphabet();

function buildAlphabet(): string[] {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintableLatin1(byte) ? byte : next++));
}

const byteOfCharacter = new Map(byteAlphabet.map((character, byte) => [character, byte]));

/**
 * The bytes a token stands for. A token with a character outside the alphabet stands for its own UTF-8, and one whose
 * characters all lie in it is read as bytes even if it was added as text: tokenizers' decoders::ByteLevel does both.
 */
export function bytesOfToken(token: string): Uint8Array {
  const bytes = new Uint8Array(token.length);
  for (let i = 0; i < token.length; i++) {
    const byte = byteOfCharacter.get(token[i]!);
    if (byte === undefined) return new TextEncoder().encode(token);
    bytes[i] = byte;
  }
  return bytes;
}

/** The token that stands for a text's UTF-8. */
export function tokenOfText(text: string): string {
  let token = '';
  for (const byte of new TextEncoder().encode(text)) token += byteAlphabet[byte]!;
  return token;
}
