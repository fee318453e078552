//! The procedures that clients can call: their names, parameters and code.
//! Marshalling ends in this table: calculator.rs and table.rs get numbers and
//! strings, not JSON.                                             [T-X2]
//!
//! ```text
//! "add", [2,3] -> row of the table -> calculator::add(2, 3) -> 5 -> "5"
//! ```
//!
//! A call is SAFE if it changes nothing. Then it may run twice, and replies.rs
//! need not remember it. `table.put` is not safe but idempotent: two calls
//! leave the same table as one. Only the second result differs, because the
//! key is not new any more.                                      (viva 9)

use parking_lot::Mutex;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::arguments::{ANY_NUMBER, Arguments};
use crate::calculator::{self, ArithmeticError, Number};
use crate::table::{Table, TableError};
use crate::wire::{INTERNAL_ERROR, INVALID_PARAMS, ProcedureResult, RpcError};

// The application's own errors, outside of the protocol's range.
const DIVISION_BY_ZERO: i64 = 1;
const TOO_LARGE: i64 = 2;
const NO_SUCH_KEY: i64 = 3;
const TABLE_FULL: i64 = 4;

/// The data of the procedures, shared by all clients.
#[derive(Default)]
pub struct SharedState {
    counter: Mutex<i64>,
    table: Table,
}

/// What a call does to the shared state.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It only reads, so that the call is safe.
    Reads,
    /// It changes something.
    Changes,
}

/// A procedure that clients can call.
pub struct Procedure {
    /// Its name in a request.
    pub name: &'static str,
    /// The names of its parameters, in order.
    pub parameters: &'static [&'static str],
    /// How many of them must be given.
    pub required: usize,
    /// Whether it may be run again without harm.
    pub effect: Effect,
    /// Reads the arguments, calls the function, and marshals the result.
    pub run: fn(&SharedState, &Arguments<'_>) -> ProcedureResult,
}

/// All procedures, in the order in which `rpc.methods` lists them. (The
/// standard reserves names that begin with `rpc.` for the protocol.)
const PROCEDURES: &[Procedure] = &[
    procedure("add", &["a", "b"], 2, Effect::Reads, |_, given| {
        number(calculator::add(given.number(0)?, given.number(1)?))
    }),
    // These names, `sum` and `get_data` are those of the specification's own
    // examples (JSON-RPC 2.0, section 7), so that each can be tried.
    procedure(
        "subtract",
        &["minuend", "subtrahend"],
        2,
        Effect::Reads,
        |_, given| {
            number(calculator::subtract(given.number(0)?, given.number(1)?))
        },
    ),
    procedure("multiply", &["a", "b"], 2, Effect::Reads, |_, given| {
        number(calculator::multiply(given.number(0)?, given.number(1)?))
    }),
    procedure("divide", &["a", "b"], 2, Effect::Reads, |_, given| {
        number(calculator::divide(given.number(0)?, given.number(1)?))
    }),
    procedure("sum", &[ANY_NUMBER], 0, Effect::Reads, |_, given| {
        let zero = Ok(Number::Whole(0));
        let add = |sum: Result<Number, ArithmeticError>, more| {
            sum.and_then(|sum| calculator::add(sum, more))
        };
        number(given.numbers()?.into_iter().fold(zero, add))
    }),
    procedure("get_data", &[], 0, Effect::Reads, |_, _| json(&("hello", 5))),
    procedure("counter.read", &[], 0, Effect::Reads, |state, _| {
        number(Ok(Number::Whole(*state.counter.lock())))
    }),
    // `by` came in a later version, with a default, so that old callers still
    // work.
    procedure(
        "counter.increment",
        &["by"],
        0,
        Effect::Changes,
        |state, given| {
            let by = given.whole_or(0, 1)?;
            let mut counter = state.counter.lock();
            let sum = counter.checked_add(by);
            *counter = sum.ok_or(ArithmeticError::TooLarge)?;
            number(Ok(Number::Whole(*counter)))
        },
    ),
    procedure(
        "table.put",
        &["key", "value"],
        2,
        Effect::Changes,
        |state, given| json(&state.table.put(given.text(0)?, given.value(1)?)?),
    ),
    procedure("table.get", &["key"], 1, Effect::Reads, |state, given| {
        Ok(state.table.get(&given.text(0)?)?)
    }),
    procedure("table.delete", &["key"], 1, Effect::Changes, |state, given| {
        json(&state.table.delete(&given.text(0)?))
    }),
    procedure("table.keys", &["after"], 0, Effect::Reads, |state, given| {
        json(&state.table.keys(&given.text(0)?))
    }),
    procedure("rpc.methods", &[], 0, Effect::Reads, |_, _| {
        json(&PROCEDURES.iter().map(Procedure::signature).collect::<Vec<_>>())
    }),
];

const fn procedure(
    name: &'static str,
    parameters: &'static [&'static str],
    required: usize,
    effect: Effect,
    run: fn(&SharedState, &Arguments<'_>) -> ProcedureResult,
) -> Procedure {
    Procedure { name, parameters, required, effect, run }
}

impl Procedure {
    /// The procedure of this name.
    pub fn find(name: &str) -> Option<&'static Procedure> {
        PROCEDURES.iter().find(|procedure| procedure.name == name)
    }

    /// `counter.increment(by?)`: a question mark means optional.
    fn signature(&self) -> String {
        let names = self.parameters.iter().enumerate().map(|(index, name)| {
            let optional = if index < self.required { "" } else { "?" };
            format!("{name}{optional}")
        });
        let names: Vec<String> = names.collect();
        format!("{}({})", self.name, names.join(", "))
    }
}

/// Marshals a result.
fn json(result: &impl Serialize) -> ProcedureResult {
    to_raw_value(result).map_err(|error| RpcError::new(INTERNAL_ERROR, error))
}

fn number(result: Result<Number, ArithmeticError>) -> ProcedureResult {
    RawValue::from_string(result?.to_string())
        .map_err(|error| RpcError::new(INTERNAL_ERROR, error))
}

impl From<ArithmeticError> for RpcError {
    fn from(problem: ArithmeticError) -> RpcError {
        let code = match problem {
            ArithmeticError::DivisionByZero => DIVISION_BY_ZERO,
            ArithmeticError::TooLarge | ArithmeticError::TooLargeReal => {
                TOO_LARGE
            }
        };
        RpcError::new(code, problem)
    }
}

impl From<TableError> for RpcError {
    fn from(problem: TableError) -> RpcError {
        let code = match problem {
            TableError::NoSuchKey => NO_SUCH_KEY,
            TableError::LongKey => INVALID_PARAMS,
            TableError::Full => TABLE_FULL,
        };
        RpcError::new(code, problem)
    }
}
