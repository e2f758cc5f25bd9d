//! A validator written in JavaScript. It runs on the JavaScript thread only, so questions of library threads hop there.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use napi::bindgen_prelude::{Buffer, FnArgs, Function, FunctionRef};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status};
use p2pmap::Validator;

use crate::environment::{self, Environment};

/// How long a library thread waits for the JavaScript thread before it takes the answer to be no.
const PATIENCE: Duration = Duration::from_secs(2);

type Arguments = FnArgs<(Buffer, Buffer)>;
/// Why not; nothing means yes.
type Answer = Option<String>;
type Hop = ThreadsafeFunction<Question, Answer, Arguments, Status, false, true>;
/// The function in `lib/options.cjs` that decodes key and value, asks the user's function, and never throws.
pub type JsValidator<'env> = Function<'env, Arguments, Answer>;

thread_local! {
    static IN_USE: Cell<bool> = const { Cell::new(false) };
}

/// Whether writes on this thread may call JavaScript, which could then call back into a map.
pub fn in_use() -> bool {
    IN_USE.get()
}

/// The core's validator for a JavaScript function.
pub fn validator(env: &Env, function: &JsValidator<'_>) -> napi::Result<Validator> {
    let home = thread::current().id();
    let environment = Environment::current(env)?;
    let direct = function.create_ref()?;
    let hop = function
        .build_threadsafe_function::<Question>()
        .weak::<true>()
        .build_callback(|call| Ok(arguments(call.value.key, call.value.value)))?;
    IN_USE.set(true);
    Ok(Arc::new(move |key: &[u8], value: &[u8]| {
        let answer = if thread::current().id() == home {
            ask_here(&direct, key, value)
        } else {
            environment.desk().ask(&hop, key, value)
        };
        answer.map_or(Ok(()), Err)
    }))
}

fn arguments(key: Vec<u8>, value: Vec<u8>) -> Arguments {
    FnArgs::from((Buffer::from(key), Buffer::from(value)))
}

fn ask_here(function: &FunctionRef<Arguments, Answer>, key: &[u8], value: &[u8]) -> Answer {
    let Some(env) = environment::engine() else {
        return Some("the JavaScript thread has ended".into());
    };
    function
        .borrow_back(&env)
        .and_then(|function| function.call(arguments(key.to_vec(), value.to_vec())))
        .unwrap_or_else(|error| Some(error.reason))
}

struct Question {
    key: Vec<u8>,
    value: Vec<u8>,
}

/// Where library threads wait for answers of one JavaScript thread. Nobody waits longer than [`PATIENCE`], and
/// once somebody has waited in vain, nobody waits at all until JavaScript runs again.
#[derive(Clone, Default)]
pub struct Desk(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    closed: bool,
    stalled: bool,
    next: u64,
    questions: HashMap<u64, SyncSender<Answer>>,
}

impl Desk {
    /// No question is answered any more; who waits hears no.
    pub fn close(&self) {
        let mut waiting = self.waiting();
        waiting.closed = true;
        waiting.questions.clear();
    }

    fn ask(&self, hop: &Hop, key: &[u8], value: &[u8]) -> Answer {
        let (sender, receiver) = sync_channel(1);
        let number = {
            let mut waiting = self.waiting();
            if waiting.closed || waiting.stalled {
                return Some("the JavaScript thread does not answer".into());
            }
            waiting.next += 1;
            let number = waiting.next;
            waiting.questions.insert(number, sender);
            number
        };
        let question = Question { key: key.to_vec(), value: value.to_vec() };
        let desk = self.clone();
        let status = hop.call_with_return_value(question, ThreadsafeFunctionCallMode::NonBlocking, move |answer, _| {
            desk.answer(number, answer.unwrap_or_else(|error| Some(error.reason)));
            Ok(())
        });
        if status == Status::Ok
            && let Ok(answer) = receiver.recv_timeout(PATIENCE)
        {
            return answer;
        }
        let mut waiting = self.waiting();
        waiting.stalled |= waiting.questions.remove(&number).is_some();
        Some("the JavaScript thread did not answer in time".into())
    }

    fn answer(&self, number: u64, answer: Answer) {
        let mut waiting = self.waiting();
        waiting.stalled = false;
        if let Some(sender) = waiting.questions.remove(&number) {
            // Invariant: one place, one answer, so there is room; who stopped waiting needs none.
            let _ = sender.try_send(answer);
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
