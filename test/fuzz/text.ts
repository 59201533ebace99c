/** Text for properties. */
import * as fc from 'fast-check';

/** One of the characters. */
export function letterOf(alphabet: string): fc.Arbitrary<string> {
  return fc.constantFrom(...alphabet.split(''));
}

/** Lower-case hex digits, so many. */
export function hex(length: number): fc.Arbitrary<string> {
  return fc.string({ unit: letterOf('0123456789abcdef'), minLength: length, maxLength: length });
}

/** Near a grammar: mostly its own characters, now and then anything. */
export function near(alphabet: string, maxLength: number): fc.Arbitrary<string> {
  const anything = fc.string({ unit: 'binary', minLength: 1, maxLength: 1 });
  const unit = fc.oneof({ weight: 30, arbitrary: letterOf(alphabet) }, { weight: 1, arbitrary: anything });
  return fc.string({ unit, maxLength });
}
