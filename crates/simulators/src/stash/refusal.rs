//! Why Stash does not answer a query, or a part of it.

use serde_json::{Value, json};

use super::tokens::Place;

/// A query that is refused as a whole before anything of it runs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refusal {
    message: String,
    code: &'static str,
    place: Option<Place>,
    path: Option<Value>,
}

impl Refusal {
    /// The query is well written and asks for what there is not.
    pub fn invalid(message: String, place: Option<Place>, path: Option<Value>) -> Self {
        let code = "GRAPHQL_VALIDATION_FAILED";
        Self {
            message,
            code,
            place,
            path,
        }
    }

    /// The request's body is none.
    pub fn undecodable() -> Self {
        Self {
            code: "BAD_REQUEST",
            ..Self::from("json request body could not be decoded".to_owned())
        }
    }

    /// An answer to clients that take `application/json` has a status of its own for queries that
    /// are refused, and 400 for bodies that are none; other clients get 400 for all.
    pub fn status(&self, asked_json: bool) -> u16 {
        if asked_json && self.code != "BAD_REQUEST" {
            422
        } else {
            400
        }
    }

    /// The entry of `errors`.
    pub fn entry(&self) -> Value {
        let mut entry = json!({"message": self.message, "extensions": {"code": self.code}});
        if let Some((line, column)) = self.place {
            entry["locations"] = json!([{"line": line, "column": column}]);
        }
        if let Some(path) = &self.path {
            entry["path"] = path.clone();
        }
        entry
    }
}

/// The document cannot be read.
impl From<String> for Refusal {
    fn from(message: String) -> Self {
        Self {
            message,
            code: "GRAPHQL_PARSE_FAILED",
            place: None,
            path: None,
        }
    }
}

/// A field that could not be looked up.
#[derive(Debug, PartialEq)]
pub(super) struct Failure {
    pub message: String,
    /// The name it has in the answer.
    pub field: String,
    /// Whether it may be null; else there is no answer at all.
    pub nullable: bool,
}

impl Failure {
    /// The whole answer.
    pub fn body(&self) -> Value {
        let data = if self.nullable {
            json!({ self.field.as_str(): null })
        } else {
            Value::Null
        };
        json!({"errors": [{"message": self.message, "path": [self.field]}], "data": data})
    }
}
