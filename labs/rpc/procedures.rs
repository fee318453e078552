//! The procedures that may be called from afar: their names, parameters and
//! what they run. Marshalling goes as far as this table and no further:
//! calculator.rs and table.rs get numbers and strings, not JSON.  [T-X2]
//!
//! ```text
//! "add", [2,3] -> row of the table -> calculator::add(2, 3) -> 5 -> "5"
//! ```
//!
//! A call is SAFE if it changes nothing: to run it twice does no harm, and
//! replies.rs need not remember it. `table.put` twice leaves the same table,
//! but its second answer says that the key is not new: to be idempotent in
//! effect is less than to be safe.                               (viva 9)

use parking_lot::Mutex;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::arguments::Arguments;
use crate::calculator::{self, Number};
use crate::fault::{INTERNAL_ERROR, INVALID_PARAMS};
use crate::table::{self, Table};
use crate::wire::{Fault, Outcome};

// The application's own errors, outside of the range that fault.rs is about.
const DIVISION_BY_ZERO: i64 = 1;
const TOO_LARGE: i64 = 2;
const NO_SUCH_KEY: i64 = 3;
const TABLE_FULL: i64 = 4;

/// What the procedures work on: shared by all clients.
#[derive(Default)]
pub struct State {
    counter: Mutex<i64>,
    table: Table,
}

/// One procedure.
pub struct Procedure {
    /// As a request names it.
    pub name: &'static str,
    /// Its parameters in order; the first `required` must be given.
    pub parameters: &'static [&'static str],
    /// How many of them.
    pub required: usize,
    /// Changes nothing: may be run again without harm.
    pub safe: bool,
    /// Takes the arguments apart, calls, marshals the result.
    pub run: fn(&State, &Arguments<'_>) -> Outcome,
}

/// All of them, in the order in which `rpc.methods` lists them. (The standard
/// keeps names that begin with `rpc.` for what belongs to the protocol.)
pub const PROCEDURES: &[Procedure] = &[
    procedure("add", &["a", "b"], 2, true, |_, given| {
        number(calculator::add(given.number(0)?, given.number(1)?))
    }),
    procedure("subtract", &["a", "b"], 2, true, |_, given| {
        number(calculator::subtract(given.number(0)?, given.number(1)?))
    }),
    procedure("multiply", &["a", "b"], 2, true, |_, given| {
        number(calculator::multiply(given.number(0)?, given.number(1)?))
    }),
    procedure("divide", &["a", "b"], 2, true, |_, given| {
        number(calculator::divide(given.number(0)?, given.number(1)?))
    }),
    procedure("counter.read", &[], 0, true, |state, _| {
        number(Ok(Number::Whole(*state.counter.lock())))
    }),
    // `by` came in a later version, with a default: old callers go on.
    procedure("counter.increment", &["by"], 0, false, |state, given| {
        let by = given.whole_or(0, 1)?;
        let mut counter = state.counter.lock();
        let sum = counter.checked_add(by);
        *counter = sum.ok_or(calculator::Problem::TooLarge)?;
        number(Ok(Number::Whole(*counter)))
    }),
    procedure("table.put", &["key", "value"], 2, false, |state, given| {
        json(&state.table.put(given.text(0)?, given.value(1)?)?)
    }),
    procedure("table.get", &["key"], 1, true, |state, given| {
        Ok(state.table.get(&given.text(0)?)?)
    }),
    procedure("table.delete", &["key"], 1, false, |state, given| {
        json(&state.table.delete(&given.text(0)?))
    }),
    procedure("table.keys", &["after"], 0, true, |state, given| {
        json(&state.table.keys(&given.text(0)?))
    }),
    procedure("rpc.methods", &[], 0, true, |_, _| {
        json(&PROCEDURES.iter().map(Procedure::signature).collect::<Vec<_>>())
    }),
];

const fn procedure(
    name: &'static str,
    parameters: &'static [&'static str],
    required: usize,
    safe: bool,
    run: fn(&State, &Arguments<'_>) -> Outcome,
) -> Procedure {
    Procedure { name, parameters, required, safe, run }
}

impl Procedure {
    /// The procedure of this name.
    pub fn find(name: &str) -> Option<&'static Procedure> {
        PROCEDURES.iter().find(|procedure| procedure.name == name)
    }

    /// `counter.increment(by?)`: a question mark may be left out.
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
fn json(result: &impl Serialize) -> Outcome {
    to_raw_value(result).map_err(|error| Fault::new(INTERNAL_ERROR, error))
}

fn number(result: Result<Number, calculator::Problem>) -> Outcome {
    RawValue::from_string(result?.to_string())
        .map_err(|error| Fault::new(INTERNAL_ERROR, error))
}

impl From<calculator::Problem> for Fault {
    fn from(problem: calculator::Problem) -> Fault {
        let code = match problem {
            calculator::Problem::DivisionByZero => DIVISION_BY_ZERO,
            calculator::Problem::TooLarge
            | calculator::Problem::TooLargeReal => TOO_LARGE,
        };
        Fault::new(code, problem)
    }
}

impl From<table::Problem> for Fault {
    fn from(problem: table::Problem) -> Fault {
        let code = match problem {
            table::Problem::NoSuchKey => NO_SUCH_KEY,
            table::Problem::LongKey => INVALID_PARAMS,
            table::Problem::Full => TABLE_FULL,
        };
        Fault::new(code, problem)
    }
}
