// IPv4 addresses as numbers, for the generators only: neither the oracle nor the code under test uses this.

export function toNumber(address: string): number {
  return address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

/** Wraps around at both ends of the address space. */
export function toAddress(number: number): string {
  const value = ((number % 2 ** 32) + 2 ** 32) % 2 ** 32;
  return [2 ** 24, 2 ** 16, 2 ** 8, 1].map((unit) => Math.floor(value / unit) % 256).join('.');
}

/** First and last address of "10.0.0.5/24". */
export function edges(cidr: string): readonly [number, number] {
  const [address = '', prefix = '32'] = cidr.split('/');
  const size = 2 ** (32 - Number(prefix));
  const first = Math.floor(toNumber(address) / size) * size;
  return [first, first + size - 1];
}

export function block(address: string, prefix: number): string {
  return `${toAddress(edges(`${address}/${prefix}`)[0])}/${prefix}`;
}
