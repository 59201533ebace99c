import { randomBytes } from 'node:crypto';
import sql from 'sql-template-tag';
import { expect, test } from 'vitest';
import { createSecrets } from '../../src/auth/secrets.ts';
import { testDatabase } from '../harness/database.ts';

const { db } = await testDatabase();
const secrets = createSecrets(randomBytes(32));

test('come back as they were, and are not in the row in the clear', async () => {
  const plaintext = Buffer.from('a private key');
  const id = await secrets.put(db, 'test', 'one', plaintext);
  expect(await secrets.read(db, id)).toEqual(plaintext);
  const row = await db.first<{ ciphertext: Buffer }>(sql`select ciphertext from secrets where id = ${id}`);
  expect(row!.ciphertext.includes(plaintext)).toBe(false);
  expect(await secrets.read(db, await secrets.put(db, 'test', 'empty', Buffer.alloc(0)))).toEqual(Buffer.alloc(0));
});

test('under another master key are refused with a sentence that names both keys', async () => {
  const id = await secrets.put(db, 'test', 'two', Buffer.from('x'));
  await expect(createSecrets(randomBytes(32)).read(db, id)).rejects.toThrow(
    /test\/two was encrypted under master key [0-9a-f]{16}, this hub has/,
  );
  expect(() => createSecrets(randomBytes(16))).toThrow(/32 bytes/);
});

test.each([
  ['a changed byte', sql`ciphertext = set_byte(ciphertext, 0, get_byte(ciphertext, 0) # 1)`],
  [
    'a changed tag',
    sql`ciphertext = set_byte(ciphertext, length(ciphertext) - 1, get_byte(ciphertext, length(ciphertext) - 1) # 1)`,
  ],
  ['a cut tag', sql`ciphertext = substring(ciphertext for length(ciphertext) - 4)`],
  ['a changed nonce', sql`nonce = set_byte(nonce, 0, get_byte(nonce, 0) # 1)`],
  ['another name', sql`name = name || 'x'`],
  ['another purpose', sql`purpose = 'other'`],
])('do not decrypt with %s', async (what, change) => {
  const id = await secrets.put(db, 'test', what, Buffer.from('some secret bytes'));
  await db.query(sql`update secrets set ${change} where id = ${id}`);
  await expect(secrets.read(db, id)).rejects.toThrow();
});

test('that do not exist are an error', async () => {
  await expect(secrets.read(db, 999_999)).rejects.toThrow(/no secret/);
});
