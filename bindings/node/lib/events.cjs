'use strict';
// Changes of the view: pushed to a listener, or pulled by `for await`.
//
// The native half wakes us once when events begin to wait; we read them in batches until there are none. What is not
// read yet waits in the core, which keeps only the newest change of a key, so a slow reader costs bounded memory.

const { inspect } = require('node:util');
const { records } = require('./flat.cjs');

/** Batches given to a listener before other work of the event loop has its turn. */
const BATCHES_A_TURN = 4;
/** The longest that a timer can wait. */
const FOREVER_MS = 2 ** 31 - 1;

/** One change of the view. Values are decoded when they are looked at. */
class MapEvent {
  #values;
  #value;
  #oldValue;

  constructor({ kind, local, key, value, oldValue, stamp }, values) {
    this.kind = kind;
    this.key = key;
    this.author = stamp?.author;
    this.local = local;
    this.stamp = stamp;
    this.#values = values;
    this.#value = value;
    this.#oldValue = oldValue;
  }

  get value() {
    return this.#value === undefined ? undefined : this.#values.finish(this.#value);
  }

  get oldValue() {
    return this.#oldValue === undefined ? undefined : this.#values.finish(this.#oldValue);
  }

  toJSON() {
    const { kind, key, value, oldValue, author, local, stamp } = this;
    return { kind, key, value, oldValue, author, local, stamp };
  }

  [inspect.custom](_depth, options) {
    const [value, oldValue] = [shown(() => this.value), shown(() => this.oldValue)];
    return `MapEvent ${inspect({ ...this, value, oldValue }, options)}`;
  }
}

/** A value to print, or why there is none. */
function shown(read) {
  try {
    return read();
  } catch (error) {
    return error.code;
  }
}

/** A watch in the native half, and the timer that keeps the process alive for it. */
class Feed {
  #handle;
  #codecs;
  #make;
  #keepAlive = setInterval(() => {}, FOREVER_MS);
  #onAbort;
  #signal;

  /** `wake()` is called when there may be something to read; `abort(reason)` when the signal says so. */
  constructor(start, codecs, { signal }, wake, abort) {
    this.#codecs = codecs;
    this.#make = (record) => new MapEvent(record, codecs.values);
    try {
      this.#handle = start(wake);
    } catch (error) {
      clearInterval(this.#keepAlive);
      throw error;
    }
    if (signal) {
      this.#signal = signal;
      this.#onAbort = () => abort(signal.reason);
      signal.addEventListener('abort', this.#onAbort, { once: true });
    }
  }

  /** @returns {MapEvent[] | undefined} what waits, up to a batch; nothing when nothing waits */
  read() {
    const batch = this.#handle.read();
    return batch === null ? undefined : records(batch, this.#codecs, this.#make);
  }

  get ended() {
    return this.#handle.ended;
  }

  keepAlive(wanted) {
    if (wanted) this.#keepAlive.ref();
    else this.#keepAlive.unref();
  }

  close() {
    clearInterval(this.#keepAlive);
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#handle.close();
  }
}

/** A listener's registration. */
class Subscription {
  #feed;
  #listener;
  #active = true;
  #referenced = true;
  #turn;

  constructor(start, codecs, listener, options) {
    this.#listener = listener;
    this.#feed = new Feed(start, codecs, options, () => this.#deliver(), () => this.unsubscribe());
    if (options.signal?.aborted) this.unsubscribe();
    else this.#later();
  }

  get active() {
    return this.#active;
  }

  unsubscribe() {
    if (!this.#active) return;
    this.#active = false;
    clearImmediate(this.#turn);
    this.#feed.close();
  }

  [Symbol.dispose]() {
    this.unsubscribe();
  }

  ref() {
    return this.#reference(true);
  }

  unref() {
    return this.#reference(false);
  }

  #reference(wanted) {
    this.#referenced = wanted;
    if (this.#active) this.#feed.keepAlive(wanted);
    return this;
  }

  #deliver() {
    // A turn that is to come reads everything.
    if (!this.#active || this.#turn) return;
    for (let batches = 0; batches < BATCHES_A_TURN; batches++) {
      const events = this.#feed.read();
      if (!events) {
        if (this.#feed.ended) this.unsubscribe();
        return;
      }
      for (const event of events) {
        if (!this.#active) return;
        this.#tell(event);
      }
    }
    this.#later();
  }

  #later() {
    if (!this.#active) return;
    this.#turn = setImmediate(() => {
      this.#turn = undefined;
      this.#deliver();
    });
    if (!this.#referenced) this.#turn.unref();
  }

  #tell(event) {
    try {
      this.#listener(event);
    } catch (error) {
      // An uncaught exception, as for any listener; the others still hear of the rest.
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

/** Events, pulled: `for await (const event of watch)`. */
class Watch {
  #feed;
  #events = [];
  #next = 0;
  #waiting = [];
  #failure;
  #closed = false;

  constructor(start, codecs, options) {
    this.#feed = new Feed(start, codecs, options, () => this.#answer(), (reason) => this.#fail(reason));
    // Only who waits for an event needs the process to stay.
    this.#feed.keepAlive(false);
    if (options.signal?.aborted) this.#fail(options.signal.reason);
  }

  next() {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#answer();
    });
  }

  async return(value) {
    this.#close();
    this.#answer();
    return { value, done: true };
  }

  async [Symbol.asyncDispose]() {
    await this.return();
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  /** Serves who waits, as far as there are events. */
  #answer() {
    while (this.#waiting.length > 0) {
      const event = this.#take();
      if (event) this.#waiting.shift().resolve({ value: event, done: false });
      else if (this.#failure) this.#refuse();
      else if (this.#closed) this.#waiting.shift().resolve({ value: undefined, done: true });
      else break;
    }
    if (!this.#closed) this.#feed.keepAlive(this.#waiting.length > 0);
  }

  #take() {
    if (this.#next === this.#events.length && !this.#closed) {
      this.#events = this.#feed.read() ?? [];
      this.#next = 0;
      if (this.#events.length === 0 && this.#feed.ended) this.#close();
    }
    return this.#next < this.#events.length ? this.#events[this.#next++] : undefined;
  }

  /** Tells the failure, once: afterwards it is over. */
  #refuse() {
    this.#waiting.shift().reject(this.#failure.reason);
    this.#failure = undefined;
  }

  #fail(reason) {
    if (this.#closed) return;
    this.#failure = { reason };
    this.#close();
    this.#answer();
  }

  #close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#events = [];
    this.#next = 0;
    this.#feed.close();
  }
}

module.exports = { MapEvent, Subscription, Watch };
