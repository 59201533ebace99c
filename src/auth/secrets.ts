/** What the hub must keep secret and read back: AES-256-GCM under the master key, in table `secrets`. */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import type { Queryable } from '../db/database.ts';
import * as rows from './queries/keys.ts';

export interface Secrets {
  /** @throws when something in Postgres was encrypted under another master key: better at start-up than at the first login */
  check(db: Queryable): Promise<void>;
  /** Encrypts and stores; returns the row's id. `purpose` and `name` are bound to the ciphertext. */
  put(tx: Queryable, purpose: string, name: string, plaintext: Buffer): Promise<number>;
  /** Encrypts what is kept elsewhere; `purpose` and `name` have to be said again to read it. */
  seal(purpose: string, name: string, plaintext: Buffer): Sealed;
  /** @throws when it was altered, or encrypted under another name or master key */
  open(purpose: string, name: string, sealed: Sealed): Buffer;
  /** A hash that nobody without the master key can test guesses against. */
  fingerprint(purpose: string, content: Buffer): Buffer;
  /** @throws when there is no such secret, it was altered, or it was encrypted under another master key */
  read(db: Queryable, id: number): Promise<Buffer>;
  remove(tx: Queryable, id: number): Promise<void>;
}

export interface Sealed {
  readonly keyId: string;
  readonly nonce: Buffer;
  readonly ciphertext: Buffer;
}

const TAG_BYTES = 16;

/** @param masterKey 32 bytes */
export function createSecrets(masterKey: Buffer): Secrets {
  if (masterKey.length !== 32) throw new Error(`The master key must have 32 bytes, not ${masterKey.length}`);
  const keyId = createHmac('sha256', masterKey).update('berth master key id').digest('hex').slice(0, 16);

  function seal(purpose: string, name: string, plaintext: Buffer): Sealed {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', masterKey, nonce).setAAD(context(purpose, name));
    return { keyId, nonce, ciphertext: Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]) };
  }

  function open(purpose: string, name: string, sealed: Sealed): Buffer {
    if (sealed.keyId !== keyId) {
      throw new Error(
        `Secret ${purpose}/${name} was encrypted under master key ${sealed.keyId}, this hub has ${keyId}: give it the old key`,
      );
    }
    const end = sealed.ciphertext.length - TAG_BYTES;
    const decipher = createDecipheriv('aes-256-gcm', masterKey, sealed.nonce, { authTagLength: TAG_BYTES })
      .setAAD(context(purpose, name))
      .setAuthTag(sealed.ciphertext.subarray(end));
    return Buffer.concat([decipher.update(sealed.ciphertext.subarray(0, end)), decipher.final()]);
  }

  return {
    seal,
    open,
    fingerprint(purpose, content) {
      return createHmac('sha256', masterKey).update(`berth fingerprint ${purpose}\0`).update(content).digest();
    },
    async put(tx, purpose, name, plaintext) {
      return rows.insertSecret(tx, { purpose, name, ...seal(purpose, name, plaintext) });
    },
    remove: (tx, id) => rows.deleteSecret(tx, id),
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
      return open(row.purpose, row.name, row);
    },
  };
}

/** So that a ciphertext moved to another row does not decrypt. */
function context(purpose: string, name: string): Buffer {
  return Buffer.from(`${purpose}\0${name}`);
}
