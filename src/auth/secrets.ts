/** What the hub must keep secret and read back: AES-256-GCM under the master key, in table `secrets`. */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import type { Queryable } from '../db/database.ts';
import * as rows from './queries/keys.ts';

export interface Secrets {
  /** @throws when something in Postgres was encrypted under another master key: better at start-up than at the first login */
  check(db: Queryable): Promise<void>;
  /** Encrypts and stores; returns the row's id. `purpose` and `name` are bound to the ciphertext. */
  put(tx: Queryable, purpose: string, name: string, plaintext: Buffer): Promise<number>;
  /** @throws when there is no such secret, it was altered, or it was encrypted under another master key */
  read(db: Queryable, id: number): Promise<Buffer>;
  remove(tx: Queryable, id: number): Promise<void>;
  /** Encrypts for someone else to keep, such as a browser; every replica can open it. */
  seal(purpose: string, plaintext: string): string;
  /** Undefined when it is none of ours, was altered, or was made for another purpose. */
  open(purpose: string, sealed: string): string | undefined;
}

const TAG_BYTES = 16;

/** @param masterKey 32 bytes */
export function createSecrets(masterKey: Buffer): Secrets {
  if (masterKey.length !== 32) throw new Error(`The master key must have 32 bytes, not ${masterKey.length}`);
  const keyId = createHmac('sha256', masterKey).update('berth master key id').digest('hex').slice(0, 16);
  // Random nonces of many small texts would wear out the key that rows are encrypted under.
  const sealingKey = createHmac('sha256', masterKey).update('berth sealing key').digest();
  return {
    async put(tx, purpose, name, plaintext) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', masterKey, nonce).setAAD(context(purpose, name));
      const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
      return rows.insertSecret(tx, { purpose, name, keyId, nonce, ciphertext });
    },
    remove: (tx, id) => rows.deleteSecret(tx, id),
    seal(purpose, plaintext) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', sealingKey, nonce).setAAD(context(purpose, ''));
      return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]).toString(
        'base64url',
      );
    },
    open(purpose, sealed) {
      const bytes = Buffer.from(sealed, 'base64url');
      if (bytes.length < 12 + TAG_BYTES) return undefined;
      const end = bytes.length - TAG_BYTES;
      const decipher = createDecipheriv('aes-256-gcm', sealingKey, bytes.subarray(0, 12), { authTagLength: TAG_BYTES })
        .setAAD(context(purpose, ''))
        .setAuthTag(bytes.subarray(end));
      try {
        return Buffer.concat([decipher.update(bytes.subarray(12, end)), decipher.final()]).toString('utf8');
      } catch {
        return undefined;
      }
    },
    async check(db) {
      const other = (await rows.selectKeyIds(db)).find((id) => id !== keyId);
      if (other !== undefined) {
        throw new Error(
          `What Postgres keeps secret was encrypted under master key ${other}, but this hub was given ${keyId}. Give it the old key (BERTH_MASTER_KEY, or master.key in the data folder).`,
        );
      }
    },
    async read(db, id) {
      const row = await rows.findSecret(db, id);
      if (row === undefined) throw new Error(`There is no secret ${id}`);
      if (row.keyId !== keyId) {
        throw new Error(
          `Secret ${row.purpose}/${row.name} was encrypted under master key ${row.keyId}, this hub has ${keyId}: give it the old key`,
        );
      }
      const end = row.ciphertext.length - TAG_BYTES;
      const decipher = createDecipheriv('aes-256-gcm', masterKey, row.nonce, { authTagLength: TAG_BYTES })
        .setAAD(context(row.purpose, row.name))
        .setAuthTag(row.ciphertext.subarray(end));
      return Buffer.concat([decipher.update(row.ciphertext.subarray(0, end)), decipher.final()]);
    },
  };
}

/** So that a ciphertext moved to another row does not decrypt. */
function context(purpose: string, name: string): Buffer {
  return Buffer.from(`${purpose}\0${name}`);
}
