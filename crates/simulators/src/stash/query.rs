//! A reader for the part of GraphQL that clients send: operations, fields with arguments and
//! aliases, fragments, variables (GraphQL specification, October 2021, §2).

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::refusal::Refusal;
use super::tokens::{Place, Token, tokens};

/// A field of a selection, fragments already spread in place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    pub place: Place,
    pub alias: String,
    pub name: String,
    pub arguments: Map<String, Value>,
    pub selection: Vec<Field>,
}

/// An operation ready to run.
#[derive(Debug, PartialEq)]
pub(super) struct Operation {
    pub mutation: bool,
    pub selection: Vec<Field>,
}

enum Selected {
    Field(Field, Vec<Selected>),
    Spread(String),
    Inline(Vec<Selected>),
}

/// What an operation says about one of its variables.
struct Definition {
    name: String,
    /// How many lists stand around the type.
    lists: usize,
    base: String,
}

/// Reads a document and picks the operation of that name, or the only one.
pub(super) fn parse(
    text: &str,
    name: Option<&str>,
    variables: &Map<String, Value>,
) -> Result<Operation, Refusal> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        at: 0,
        variables: variables.clone(),
    };
    let mut operations = Vec::new();
    let mut fragments = HashMap::new();
    while let Some(token) = parser.peek().map(str::to_owned) {
        match token.as_str() {
            "{" => operations.push((None, false, Vec::new(), parser.selection()?)),
            "query" | "mutation" => {
                parser.at += 1;
                let name = parser.name_if_any();
                let definitions = parser.definitions()?;
                operations.push((name, token == "mutation", definitions, parser.selection()?));
            }
            "fragment" => {
                parser.at += 1;
                let name = parser.next()?;
                parser.expect("on")?;
                parser.next()?;
                fragments.insert(name, parser.selection()?);
            }
            other => return Err(format!("Unexpected {other}").into()),
        }
    }
    let at = operations
        .iter()
        .position(|(own, ..)| name.is_none() || own.as_deref() == name);
    let at = at.ok_or_else(|| "operation not found".to_owned())?;
    let (_, mutation, definitions, selected) = operations.swap_remove(at);
    for definition in &definitions {
        let value = parser.variables.get(&definition.name);
        definition.check(value.unwrap_or(&Value::Null))?;
    }
    Ok(Operation {
        mutation,
        selection: spread(selected, &fragments, 0)?,
    })
}

impl Definition {
    /// Stash refuses an object in the place of a scalar; a single value in the place of a list is a
    /// list of one.
    fn check(&self, value: &Value) -> Result<(), Refusal> {
        let scalar = ["ID", "String", "Int", "Float", "Boolean"].contains(&self.base.as_str());
        let of_one = [value.clone()];
        let (values, in_list): (&[Value], bool) = match value {
            Value::Array(list) => (list, true),
            _ => (&of_one, self.lists > 0),
        };
        match values.iter().position(Value::is_object) {
            Some(at) if scalar => {
                let mut path = vec![json!("variable"), json!(self.name)];
                path.extend(in_list.then(|| json!(at)));
                let message = format!("cannot use map as {}", self.base);
                Err(Refusal::invalid(message, None, Some(path.into())))
            }
            _ => Ok(()),
        }
    }
}

fn spread(
    selected: Vec<Selected>,
    fragments: &HashMap<String, Vec<Selected>>,
    depth: usize,
) -> Result<Vec<Field>, String> {
    if depth > 20 {
        return Err("fragments spread one another without end".to_owned());
    }
    let mut fields = Vec::new();
    for entry in selected {
        match entry {
            Selected::Field(mut field, inner) => {
                field.selection = spread(inner, fragments, depth + 1)?;
                fields.push(field);
            }
            Selected::Inline(inner) => fields.extend(spread(inner, fragments, depth + 1)?),
            Selected::Spread(name) => {
                let fragment = fragments
                    .get(&name)
                    .ok_or_else(|| format!("Unknown fragment \"{name}\"."))?;
                fields.extend(spread(
                    fragment.iter().map(Selected::copy).collect(),
                    fragments,
                    depth + 1,
                )?);
            }
        }
    }
    Ok(fields)
}

impl Selected {
    fn copy(&self) -> Self {
        match self {
            Self::Field(field, inner) => {
                Self::Field(field.clone(), inner.iter().map(Self::copy).collect())
            }
            Self::Spread(name) => Self::Spread(name.clone()),
            Self::Inline(inner) => Self::Inline(inner.iter().map(Self::copy).collect()),
        }
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    variables: Map<String, Value>,
}

impl Parser {
    fn peek(&self) -> Option<&str> {
        self.tokens.get(self.at).map(|token| token.text.as_str())
    }

    fn is(&self, token: &str) -> bool {
        self.peek().is_some_and(|next| next == token)
    }

    fn next(&mut self) -> Result<String, String> {
        self.at += 1;
        self.tokens
            .get(self.at - 1)
            .map(|token| token.text.clone())
            .ok_or_else(|| "Unexpected end of document".to_owned())
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        let next = self.next()?;
        if next == token {
            Ok(())
        } else {
            Err(format!("Expected {token}, found {next}"))
        }
    }

    fn name_if_any(&mut self) -> Option<String> {
        let named = self
            .peek()
            .is_some_and(|token| token.starts_with(|c: char| c.is_alphabetic() || c == '_'));
        if named { self.next().ok() } else { None }
    }

    fn definitions(&mut self) -> Result<Vec<Definition>, String> {
        let mut definitions = Vec::new();
        if !self.is("(") {
            return Ok(definitions);
        }
        self.at += 1;
        while !self.is(")") {
            self.expect("$")?;
            let name = self.next()?;
            self.expect(":")?;
            let (mut lists, mut base) = (0, String::new());
            while self.is("[") || self.is("]") || self.is("!") || self.name_of_type() {
                let token = self.next()?;
                match token.as_str() {
                    "[" => lists += 1,
                    "]" | "!" => {}
                    _ => base = token,
                }
            }
            if self.is("=") {
                self.at += 1;
                let default = self.value()?;
                self.variables.entry(name.clone()).or_insert(default);
            }
            definitions.push(Definition { name, lists, base });
        }
        self.expect(")")?;
        Ok(definitions)
    }

    fn name_of_type(&self) -> bool {
        self.peek()
            .is_some_and(|token| token.starts_with(char::is_alphabetic))
    }

    fn selection(&mut self) -> Result<Vec<Selected>, String> {
        self.expect("{")?;
        let mut selected = Vec::new();
        while !self.is("}") {
            selected.push(self.selected()?);
        }
        self.expect("}")?;
        Ok(selected)
    }

    fn selected(&mut self) -> Result<Selected, String> {
        if self.is("...") {
            self.at += 1;
            if self.is("on") {
                self.at += 2;
            } else if !self.is("{") {
                return Ok(Selected::Spread(self.next()?));
            }
            return Ok(Selected::Inline(self.selection()?));
        }
        let place = self.tokens.get(self.at).map_or((1, 1), |token| token.place);
        let mut name = self.next()?;
        if !name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return Err(format!("Expected Name, found {name}"));
        }
        let alias = name.clone();
        if self.is(":") {
            self.at += 1;
            name = self.next()?;
        }
        let mut arguments = Map::new();
        if self.is("(") {
            self.at += 1;
            while !self.is(")") {
                let argument = self.next()?;
                self.expect(":")?;
                arguments.insert(argument, self.value()?);
            }
            self.expect(")")?;
        }
        let inner = if self.is("{") {
            self.selection()?
        } else {
            Vec::new()
        };
        Ok(Selected::Field(
            Field {
                place,
                alias,
                name,
                arguments,
                selection: Vec::new(),
            },
            inner,
        ))
    }

    fn value(&mut self) -> Result<Value, String> {
        let token = self.next()?;
        Ok(match token.as_str() {
            "$" => {
                let name = self.next()?;
                self.variables.get(&name).cloned().unwrap_or(Value::Null)
            }
            "[" => {
                let mut list = Vec::new();
                while !self.is("]") {
                    list.push(self.value()?);
                }
                self.at += 1;
                Value::Array(list)
            }
            "{" => {
                let mut object = Map::new();
                while !self.is("}") {
                    let name = self.next()?;
                    self.expect(":")?;
                    object.insert(name, self.value()?);
                }
                self.at += 1;
                Value::Object(object)
            }
            // Strings, numbers, true, false and null are JSON; the rest are names of enum values.
            json => serde_json::from_str(json).unwrap_or_else(|_| Value::String(token.clone())),
        })
    }
}
