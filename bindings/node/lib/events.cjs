'use strict';
// Changes of the view: pushed to a listener, or pulled by `for await`.
//
// The native half wakes us once when events begin to wait; we read them in batches until there are none. What is not
// read yet waits in the core, which keeps only the newest change of a key, so a slow reader costs bounded memory.

const { inspect } = require('node:util');
const { Page } = require('./flat.cjs');

/** Events after which other work of the event loop has its turn. */
const EVENTS_A_TURN = 1024;
/** The longest that a timer can wait. */
const FOREVER_MS = 2 ** 31 - 1;

/**
 * One change of the view, decoded as it is looked at. It holds on to its page, which is as large as a piece of the pool that
 * small Buffers share.
 */
class MapEvent {
  #page;
  #at;
  #key;
  #value;
  #oldValue;

  constructor(page, at) {
    this.#page = page;
    this.#at = at;
  }

  get kind() {
    return this.#page.kind(this.#at);
  }

  get key() {
    return (this.#key ??= this.#page.key(this.#at, 'view'));
  }

  get value() {
    return this.#page.finish((this.#value ??= this.#page.value(this.#at, 'view')));
  }

  get oldValue() {
    return this.#page.finish((this.#oldValue ??= this.#page.oldValue(this.#at, 'view')));
  }

  get author() {
    return this.#page.author(this.#at);
  }

  get local() {
    return this.#page.local(this.#at);
  }

  get stamp() {
    return this.#page.stamp(this.#at);
  }

  toJSON() {
    const { kind, key, value, oldValue, author, local, stamp } = this;
    return { kind, key, value, oldValue, author, local, stamp };
  }

  [inspect.custom](_depth, options) {
    const { kind, key, author, local, stamp } = this;
    const [value, oldValue] = [shown(() => this.value), shown(() => this.oldValue)];
    return `MapEvent ${inspect({ kind, key, value, oldValue, author, local, stamp }, options)}`;
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
  #keepAlive = setInterval(() => {}, FOREVER_MS);
  #onAbort;
  #signal;

  /** `wake()` is called when there may be something to read; `abort(reason)` when the signal says so. */
  constructor(start, codecs, { signal }, wake, abort) {
    this.#codecs = codecs;
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
    if (batch === null) return undefined;
    const page = new Page(batch, this.#codecs);
    return page.places().map((at) => new MapEvent(page, at));
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
    for (let told = 0; told < EVENTS_A_TURN; ) {
      const events = this.#feed.read();
      if (!events) {
        if (this.#feed.ended) this.unsubscribe();
        return;
      }
      told += events.length;
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
