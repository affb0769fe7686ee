//! What an answer of Stash's GraphQL holds: data, or errors, or both.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, value::RawValue};

use super::Error;

#[derive(Deserialize)]
struct Answer<T> {
    data: Option<T>,
    #[serde(default)]
    errors: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    message: String,
    #[serde(default)]
    path: Vec<Value>,
}

/// The parts of an answer: what each field of the query brought, and what went wrong with which of
/// them.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub data: BTreeMap<String, Box<RawValue>>,
    pub faults: BTreeMap<String, Vec<String>>,
}

/// Faults in the query come with 400 (422 in some releases) and a GraphQL body.
pub(super) fn is_faulty(status: u16) -> bool {
    matches!(status, 400 | 422)
}

/// The data of an answer, or what Stash said instead.
pub(super) fn parse<T: DeserializeOwned>(status: u16, body: &[u8]) -> Result<T, Error> {
    let answer: Answer<T> = parse_answer(status, body)?;
    if !answer.errors.is_empty() {
        let messages = texts(answer.errors);
        return Err(Error::Resolver { messages });
    }
    answer.data.ok_or_else(no_data)
}

/// The data of an answer field by field; an error that is not of one field is the whole answer's.
pub(super) fn parse_parts(status: u16, body: &[u8]) -> Result<Parts, Error> {
    let answer: Answer<_> = parse_answer(status, body)?;
    let mut faults = BTreeMap::<_, Vec<_>>::new();
    for Message { message, path } in answer.errors {
        let Some(Value::String(field)) = path.into_iter().next().filter(|_| answer.data.is_some())
        else {
            let messages = vec![message];
            return Err(Error::Resolver { messages });
        };
        faults.entry(field).or_default().push(message);
    }
    let data = answer.data.ok_or_else(no_data)?;
    Ok(Parts { data, faults })
}

fn parse_answer<T: DeserializeOwned>(status: u16, body: &[u8]) -> Result<Answer<T>, Error> {
    let answer: Answer<T> = serde_json::from_slice(body).map_err(|error| match status {
        status if is_faulty(status) => Error::Status { status },
        _ => Error::malformed(&error),
    })?;
    if is_faulty(status) {
        let messages = texts(answer.errors);
        return Err(Error::Query { messages });
    }
    Ok(answer)
}

fn texts(errors: Vec<Message>) -> Vec<String> {
    errors.into_iter().map(|error| error.message).collect()
}

fn no_data() -> Error {
    Error::Malformed("it holds no data".into())
}
