'use strict';

/** Waits for the disk: one flush at a time, each for all who asked before it began. */
class Flusher {
  #flush;
  #running;
  #next;

  /** @param {() => Promise<void>} flush settles when what was written before it was called is on disk */
  constructor(flush) {
    this.#flush = flush;
  }

  /** Settles when what was written before this call is on disk. */
  wait() {
    if (this.#next) return this.#next;
    if (!this.#running) return this.#begin();
    const begin = () => this.#begin();
    this.#next = this.#running.then(begin, begin);
    return this.#next;
  }

  #begin() {
    this.#next = undefined;
    const running = this.#flush();
    const done = () => {
      if (this.#running === running) this.#running = undefined;
    };
    this.#running = running;
    running.then(done, done);
    return running;
  }
}

module.exports = { Flusher };
