/** Lets clients through while the hub is up, and knows when all of them wait. */
export class Gate {
  readonly #clients: number;
  #closed = Promise.withResolvers<void>();
  #isOpen = false;
  #waiting = 0;
  #parked = Promise.withResolvers<void>();

  constructor(clients: number) {
    this.#clients = clients;
  }

  /** Every client calls this before each request. */
  async pass(): Promise<void> {
    if (this.#isOpen) return;
    if (++this.#waiting === this.#clients) this.#parked.resolve();
    await this.#closed.promise;
  }

  open(): void {
    this.#isOpen = true;
    this.#waiting = 0;
    this.#parked = Promise.withResolvers();
    this.#closed.resolve();
  }

  close(): void {
    this.#isOpen = false;
    this.#closed = Promise.withResolvers();
  }

  /** Resolves when every client waits at the closed gate. */
  allParked(): Promise<void> {
    return this.#parked.promise;
  }
}
