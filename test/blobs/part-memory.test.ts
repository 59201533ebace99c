import { describe, expect, it } from 'vitest';
import { PartMemory, type Lease } from '../../src/blobs/part-memory.ts';
import { MIB } from '../contract/bytes.ts';

const PATIENCE = 20;
const { signal: never } = new AbortController();
const stubborn = (): boolean => false;

describe('part memory', () => {
  it('hands out no more than there is, and takes it back', async () => {
    const memory = new PartMemory(16 * MIB);
    const one = await memory.acquire(8 * MIB, never, stubborn);
    await memory.acquire(8 * MIB, never, stubborn);
    expect(memory.used).toBe(16 * MIB);
    const third = memory.acquire(8 * MIB, never, stubborn);
    one.release();
    one.release();
    (await third).release();
    expect(memory.used).toBe(8 * MIB);
    expect((await memory.acquire(100, never, stubborn)).buffer.length).toBe(100);
  });

  it('serves in the order of asking, also when something smaller would fit', async () => {
    const memory = new PartMemory(10 * MIB);
    const first = await memory.acquire(5 * MIB, never, stubborn);
    await memory.acquire(4 * MIB, never, stubborn);
    const served: string[] = [];
    const large = memory.acquire(5 * MIB, never, stubborn).then(() => served.push('large'));
    const small = memory.acquire(MIB, never, stubborn).then(() => served.push('small'));
    first.release();
    await Promise.all([large, small]);
    expect(served).toEqual(['large', 'small']);
  });

  it('lets those behind go on when the first gives up', async () => {
    const memory = new PartMemory(10 * MIB);
    await memory.acquire(5 * MIB, never, stubborn);
    await memory.acquire(3 * MIB, never, stubborn);
    const impatient = new AbortController();
    const large = memory.acquire(5 * MIB, impatient.signal, stubborn);
    const small = memory.acquire(MIB, never, stubborn);
    impatient.abort(new Error('the client has gone'));
    await expect(large).rejects.toThrow('the client has gone');
    expect((await small).buffer.length).toBe(MIB);
  });

  it('counts a giant part as half of the memory, so that two can be had', async () => {
    const memory = new PartMemory(8 * MIB);
    const giants = await Promise.all([1, 2].map(() => memory.acquire(20 * MIB, never, stubborn)));
    expect(giants.map(({ buffer }) => buffer.length)).toEqual([20 * MIB, 20 * MIB]);
    for (const giant of giants) giant.release();
    expect(memory.used).toBe(0);
  });

  it('takes the longest held part back for somebody who waits, but none that is on its way', async () => {
    const memory = new PartMemory(4 * MIB, PATIENCE);
    const asked: string[] = [];
    const hold = async (name: string): Promise<Lease> => {
      const lease: Lease = await memory.acquire(MIB, never, () => {
        asked.push(name);
        lease.release();
        return true;
      });
      return lease;
    };
    const sealed = await hold('sealed');
    sealed.seal();
    for (const name of ['old', 'younger', 'youngest']) await hold(name);
    await memory.acquire(2 * MIB, never, stubborn);
    expect(asked).toEqual(['old', 'younger']);
    expect(memory.used).toBe(4 * MIB);
  });

  it('asks again who could not make way', async () => {
    const memory = new PartMemory(2 * MIB, PATIENCE);
    let refusals = 0;
    const lease: Lease = await memory.acquire(MIB, never, () => {
      if (++refusals < 3) return false;
      lease.release();
      return true;
    });
    await memory.acquire(MIB, never, stubborn);
    await memory.acquire(MIB, never, stubborn);
    expect(refusals).toBe(3);
  });
});
