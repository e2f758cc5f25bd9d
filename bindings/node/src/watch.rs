//! Changes of the view, read in batches when a wake-up said that there are some.

use std::collections::VecDeque;
use std::time::Duration;

use napi::Env;
use napi::bindgen_prelude::{Buffer, Function};
use napi::threadsafe_function::{ThreadsafeFunctionCallMode, UnknownReturnValue};
use napi_derive::napi;
use p2pmap::{Event, Map, SubscribeOptions, Watch};

use crate::flat::{EVENTS_BYTES, Flat, MAX_RECORDS};
use crate::outcome::run;

/// A watch under way.
#[napi]
pub struct WatchHandle {
    /// `None` once closed, so that what wakes JavaScript is let go of.
    watch: Option<Watch>,
    /// Taken from the watch, but more than a batch holds.
    waiting: VecDeque<Event>,
}

impl WatchHandle {
    /// Starts a watch that calls `wake`, on the JavaScript thread, once for each time it turns from empty to not empty.
    /// Does not keep the process alive: `lib/events.cjs` does, as the user wants it.
    pub fn start(
        env: &Env,
        map: &Map,
        options: SubscribeOptions,
        wake: &Function<'_, (), UnknownReturnValue>,
    ) -> napi::Result<Self> {
        let wake = wake.build_threadsafe_function::<()>().weak::<true>().build_callback(|_| Ok(()))?;
        let watch = run(env, || {
            let watch = map.watch(options)?;
            watch.on_ready(move || {
                wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
            });
            Ok(watch)
        })?;
        Ok(Self { watch: Some(watch), waiting: VecDeque::new() })
    }
}

#[napi]
impl WatchHandle {
    /// The next batch of events; nothing when there are none now.
    #[napi]
    pub fn read(&mut self, env: &Env) -> napi::Result<Option<Buffer>> {
        run(env, || {
            if self.waiting.is_empty()
                && let Some(watch) = &self.watch
            {
                self.waiting.extend(watch.recv(MAX_RECORDS, Some(Duration::ZERO)));
            }
            let mut flat = Flat::new(EVENTS_BYTES);
            while !flat.is_full()
                && let Some(event) = self.waiting.pop_front()
            {
                flat.event(&event);
            }
            Ok(flat.finish().map(Buffer::from))
        })
    }

    /// Whether `read` can never return events again.
    #[napi(getter)]
    pub fn ended(&self) -> bool {
        self.waiting.is_empty() && self.watch.as_ref().is_none_or(Watch::is_closed)
    }

    /// Ends it; events not read are dropped. Idempotent.
    #[napi]
    pub fn close(&mut self) {
        self.waiting.clear();
        if let Some(watch) = self.watch.take() {
            watch.close();
            // The core may keep the queue for a while; what wakes JavaScript must go at once.
            watch.on_ready(|| {});
        }
    }
}
