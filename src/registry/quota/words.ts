/** Sizes for people. */

const UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** `1.4 GiB`; below 1 KiB to the byte. */
export function bytesInWords(bytes: number): string {
  if (bytes < 1024) return bytes === 1 ? '1 byte' : `${bytes} bytes`;
  const power = Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length);
  const amount = bytes / 1024 ** power;
  return `${amount < 10 ? Math.round(amount * 100) / 100 : Math.round(amount * 10) / 10} ${UNITS[power - 1]}`;
}
