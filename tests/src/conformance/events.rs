//! Subscriptions of both kinds, behind one way to take the next event.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use p2pmap::{Event, EventKind, SubscribeOptions, Subscription, Watch};

use super::player::{Outcome, Player, Trouble, ok, one, or_none};

const WAIT: Duration = Duration::from_secs(10);

/// What a `subscribe` or a `watch` opened.
pub struct Listener {
    source: Source,
    /// The event taken last, for `origin`.
    last: Option<Event>,
}

enum Source {
    Callback { subscription: Subscription, queue: Arc<Queue>, ended: bool },
    Watch(Watch),
}

/// What the callback was handed and the script has not taken yet.
#[derive(Default)]
struct Queue {
    events: Mutex<VecDeque<Event>>,
    grown: Condvar,
}

/// What taking an event can give.
enum Next {
    Event(Event),
    End,
    Timeout,
}

impl Player {
    pub(super) fn on_events(&mut self, op: &str, args: &[&str]) -> Outcome {
        match (op, args) {
            ("subscribe" | "watch", [name, map, options @ ..]) => {
                let options = self.subscribe_options(options)?;
                let source = match op {
                    "subscribe" => self.subscribe(map, options)?,
                    _ => Source::Watch(self.named_map(map)?.watch(options)?),
                };
                self.listeners.insert(name.to_string(), Listener { source, last: None });
                ok()
            }
            ("event", [name]) => self.event(name),
            ("origin", [name]) => match &self.listener(name)?.last {
                None => Err(Trouble::Script(format!("{name} has had no event"))),
                Some(event) => Ok(origin(event)),
            },
            ("unsubscribe", [name]) => {
                self.listener(name)?.source.unsubscribe();
                ok()
            }
            _ => Err(Trouble::Script(format!("{op}: wrong arguments"))),
        }
    }

    fn subscribe(&self, map: &str, options: SubscribeOptions) -> Result<Source, Trouble> {
        let queue = Arc::new(Queue::default());
        let filled = Arc::clone(&queue);
        let subscription = self.named_map(map)?.subscribe(options, move |events| filled.extend(events))?;
        Ok(Source::Callback { subscription, queue, ended: false })
    }

    fn event(&mut self, name: &str) -> Outcome {
        let listener = self.listener(name)?;
        match listener.source.next() {
            Next::Event(event) => {
                let tokens = tokens(&event);
                listener.last = Some(event);
                Ok(tokens)
            }
            Next::End => one("end"),
            Next::Timeout => one("timeout"),
        }
    }

    fn listener(&mut self, name: &str) -> Result<&mut Listener, Trouble> {
        self.listeners.get_mut(name).ok_or_else(|| Trouble::Script(format!("no subscription {name}")))
    }

    fn subscribe_options(&self, tokens: &[&str]) -> Result<SubscribeOptions, Trouble> {
        let mut options = SubscribeOptions::default();
        for token in tokens {
            match self.option(token)? {
                ("prefix", prefix) => options.prefix = prefix,
                ("snapshot", value) => options.snapshot = value == b"true",
                _ => return Err(Trouble::Script(format!("{token}: no such option"))),
            }
        }
        Ok(options)
    }
}

impl Source {
    fn next(&self) -> Next {
        match self {
            Self::Callback { queue, ended, .. } => queue.next(*ended),
            Self::Watch(watch) => match watch.recv(1, Some(WAIT)).pop() {
                Some(event) => Next::Event(event),
                None if watch.is_closed() => Next::End,
                None => Next::Timeout,
            },
        }
    }

    fn unsubscribe(&mut self) {
        match self {
            Self::Callback { subscription, ended, .. } => {
                subscription.unsubscribe();
                *ended = true;
            }
            Self::Watch(watch) => watch.close(),
        }
    }
}

impl Queue {
    fn extend(&self, events: &[Event]) {
        self.events.lock().unwrap().extend(events.iter().cloned());
        self.grown.notify_all();
    }

    fn next(&self, ended: bool) -> Next {
        let events = self.events.lock().unwrap();
        let empty = |events: &mut VecDeque<Event>| events.is_empty() && !ended;
        let (mut events, _) = self.grown.wait_timeout_while(events, WAIT, empty).unwrap();
        match (events.pop_front(), ended) {
            (Some(event), _) => Next::Event(event),
            (None, true) => Next::End,
            (None, false) => Next::Timeout,
        }
    }
}

fn tokens(event: &Event) -> Vec<Vec<u8>> {
    if event.kind() == EventKind::Synced {
        return vec![b"synced".to_vec()];
    }
    vec![
        event.kind().name().into(),
        event.key().to_vec(),
        or_none(event.value().map(|value| value.to_vec())),
        or_none(event.old_value().map(|value| value.to_vec())),
        if event.is_local() { "local" } else { "remote" }.into(),
    ]
}

fn origin(event: &Event) -> Vec<Vec<u8>> {
    match (event.author(), event.stamp()) {
        (Some(author), Some(stamp)) => vec![author.to_string().into(), stamp.to_string().into()],
        _ => vec![b"none".to_vec()],
    }
}
