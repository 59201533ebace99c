/** Properties of a version: what CI knows of a build, kept as annotations of its manifest and found by `?property=`. */
import { FileRefusal } from './refusal.ts';

const MAX_PROPERTIES = 50;
const LONGEST_VALUE = 1_024;
const KEY = /^[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,126}[A-Za-z0-9])?$/;
const CONTROL = /[\p{Cc}\p{Cs}]/u;

/** What to set; null removes. */
export type PropertyChange = Readonly<Record<string, string | null>>;

export interface ChangedProperties {
  readonly after: Record<string, string>;
  readonly changes: boolean;
  /** Whether one that was there is another now, or gone. */
  readonly replaces: boolean;
}

/** @throws {FileRefusal} PROPERTY_INVALID */
export function checkProperties(before: Readonly<Record<string, string>>, change: PropertyChange): ChangedProperties {
  const properties = new Map(Object.entries(before));
  let [changes, replaces] = [false, false];
  for (const [key, value] of Object.entries(change)) {
    const was = properties.get(key);
    if (value === null) properties.delete(key);
    else properties.set(checkedKey(key), checkedValue(value));
    if (was === (value ?? undefined)) continue;
    changes = true;
    if (was !== undefined) replaces = true;
  }
  if (properties.size > MAX_PROPERTIES) {
    throw new FileRefusal('PROPERTY_INVALID', `A version has at most ${MAX_PROPERTIES} properties`);
  }
  return { after: Object.fromEntries(properties), changes, replaces };
}

function checkedKey(key: string): string {
  if (KEY.test(key)) return key;
  throw new FileRefusal(
    'PROPERTY_INVALID',
    'The name of a property is 1 to 128 of letters, digits, . _ / - and begins and ends with a letter or digit',
  );
}

function checkedValue(value: string): string {
  if (Buffer.byteLength(value) <= LONGEST_VALUE && !CONTROL.test(value)) return value;
  throw new FileRefusal(
    'PROPERTY_INVALID',
    `The value of a property has at most ${LONGEST_VALUE} bytes and no control characters`,
  );
}
