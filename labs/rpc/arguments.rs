//! Arguments of a call: by position, `[2, 3]`, or by name, `{"a": 2, "b": 3}`,
//! in the order of the procedure's parameters, and then in its types. If they
//! do not fit, the error is -32602 Invalid params.            [T-X2] (viva 4)
//!
//! ```text
//! names of add:  a     b
//! [2, 3]         2     3         by position
//! {"b":3,"a":2}  2     3         by name: order does not matter
//! [2]            2     missing   -32602
//! ```

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use socketlab::console;

use crate::calculator::Number;
use crate::wire::{INVALID_PARAMS, RpcError};

/// Bytes of a name that an error repeats.
const SHOWN: usize = 40;

/// The name of a last parameter that takes any number of arguments. They
/// have positions, but no names.
pub const ANY_NUMBER: &str = "…";

/// The arguments of one call, in the order of the procedure's names.
pub struct Arguments<'a> {
    values: Vec<Option<&'a RawValue>>,
    names: &'static [&'static str],
}

fn invalid(problem: String) -> RpcError {
    RpcError::new(INVALID_PARAMS, problem)
}

impl<'a> Arguments<'a> {
    /// Binds `params` to the parameters of a procedure, of which the first
    /// `required` must be given. Parameters that were added in a later version
    /// are optional and come last, because old clients do not know them.
    ///                                                          (viva 14)
    pub fn bind(
        params: Option<&'a RawValue>,
        names: &'static [&'static str],
        required: usize,
    ) -> Result<Arguments<'a>, RpcError> {
        let mut values = match params.map(RawValue::get) {
            None => Vec::new(),
            Some(list) if list.starts_with('[') => {
                let list: Vec<&RawValue> = serde_json::from_str(list)
                    .map_err(|error| invalid(error.to_string()))?;
                list.into_iter().map(Some).collect()
            }
            Some(object) => by_name(object, names)?,
        };
        let most_is_known = names.last() != Some(&ANY_NUMBER);
        if values.len() > names.len() && most_is_known {
            let (given, most) = (values.len(), names.len());
            return Err(invalid(format!("{given} given, {most} at most")));
        }
        values.resize(names.len().max(values.len()), None);
        let missing = |(value, _): &(&Option<_>, _)| value.is_none();
        let mut needed = values.iter().zip(names).take(required);
        if let Some((_, name)) = needed.find(missing) {
            return Err(invalid(format!("{name} is missing")));
        }
        Ok(Arguments { values, names })
    }

    /// Was the argument at this place given?
    fn get(&self, index: usize) -> Option<&'a RawValue> {
        self.values.get(index).copied().flatten()
    }

    fn wrong(&self, index: usize, what: &str) -> RpcError {
        match self.names.get(index).filter(|name| **name != ANY_NUMBER) {
            Some(name) => invalid(format!("{name} {what}")),
            None => invalid(format!("argument {} {what}", index + 1)),
        }
    }

    /// The argument at this place as a number.
    pub fn number(&self, index: usize) -> Result<Number, RpcError> {
        let json = self.get(index).map_or("", RawValue::get);
        Number::read(json).map_err(|what| self.wrong(index, what))
    }

    /// All arguments as numbers.
    pub fn numbers(&self) -> Result<Vec<Number>, RpcError> {
        let given = self.values.iter().flatten().enumerate();
        given.map(|(index, _)| self.number(index)).collect()
    }

    /// The argument as a whole number, or `otherwise` if it is missing.
    pub fn whole_or(
        &self,
        index: usize,
        otherwise: i64,
    ) -> Result<i64, RpcError> {
        match self.get(index).map(|_| self.number(index)).transpose()? {
            None => Ok(otherwise),
            Some(Number::Whole(whole)) => Ok(whole),
            Some(_) => Err(self.wrong(index, "is not a whole number")),
        }
    }

    /// The argument as a string, or "" if it is missing.
    pub fn text(&self, index: usize) -> Result<String, RpcError> {
        let json = self.get(index).map_or("\"\"", RawValue::get);
        serde_json::from_str(json)
            .map_err(|_| self.wrong(index, "is not a string"))
    }

    /// The argument as a JSON value, unchanged.
    pub fn value(&self, index: usize) -> Result<Box<RawValue>, RpcError> {
        let value = self.get(index).map(RawValue::to_owned);
        value.ok_or_else(|| self.wrong(index, "is missing"))
    }
}

/// The members of an object in the order of `names`.
fn by_name<'a>(
    object: &'a str,
    names: &[&str],
) -> Result<Vec<Option<&'a RawValue>>, RpcError> {
    let Pairs(pairs) = serde_json::from_str(object)
        .map_err(|error| invalid(error.to_string()))?;
    let mut values = vec![None; names.len()];
    for (name, value) in pairs {
        let shown = console::escape_short(name.as_bytes(), SHOWN);
        let named = |known: &&str| *known == name && name != ANY_NUMBER;
        let index = names.iter().position(named);
        match index.and_then(|index| values.get_mut(index)) {
            None => return Err(invalid(format!("no parameter is {shown}"))),
            Some(Some(_)) => {
                return Err(invalid(format!("{shown} is given twice")));
            }
            Some(place) => *place = Some(value),
        }
    }
    Ok(values)
}

/// The members of an object in their order. A map would silently drop the
/// first of two members with the same name.
struct Pairs<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(
                self,
                mut map: M,
            ) -> Result<Self::Value, M::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(pairs)
            }
        }
        from.deserialize_map(Collect).map(Pairs)
    }
}
