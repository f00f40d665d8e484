// base64url without padding (RFC 4648 section 5).

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

export function base64url(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    bits = ((bits & 0x3f) << 8) | byte;
    held += 8;
    for (; held >= 6; held -= 6) text += alphabet[(bits >>> (held - 6)) & 0x3f];
  }
  return held === 0 ? text : text + alphabet[(bits << (6 - held)) & 0x3f];
}
