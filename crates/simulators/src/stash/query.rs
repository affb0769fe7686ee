//! A reader for the part of GraphQL that clients send: operations, fields with arguments and aliases, fragments,
//! variables (GraphQL specification, October 2021, §2).

use std::collections::HashMap;

use serde_json::{Map, Value};

/// A field of a selection, fragments already spread in place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
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

/// Reads a document and picks the operation of that name, or the only one.
pub(super) fn parse(
    text: &str,
    name: Option<&str>,
    variables: &Map<String, Value>,
) -> Result<Operation, String> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        at: 0,
        variables: variables.clone(),
    };
    let mut operations = Vec::new();
    let mut fragments = HashMap::new();
    while let Some(token) = parser.peek().cloned() {
        match token.as_str() {
            "{" => operations.push((None, false, parser.selection()?)),
            "query" | "mutation" => {
                parser.at += 1;
                let name = parser.name_if_any();
                parser.variable_definitions()?;
                operations.push((name, token == "mutation", parser.selection()?));
            }
            "fragment" => {
                parser.at += 1;
                let name = parser.next()?;
                parser.expect("on")?;
                parser.next()?;
                fragments.insert(name, parser.selection()?);
            }
            other => return Err(format!("Unexpected {other}")),
        }
    }
    let at = operations
        .iter()
        .position(|(own, ..)| name.is_none() || own.as_deref() == name);
    let (_, mutation, selected) = operations.swap_remove(at.ok_or("operation not found")?);
    Ok(Operation {
        mutation,
        selection: spread(selected, &fragments, 0)?,
    })
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
    tokens: Vec<String>,
    at: usize,
    variables: Map<String, Value>,
}

impl Parser {
    fn peek(&self) -> Option<&String> {
        self.tokens.get(self.at)
    }

    fn is(&self, token: &str) -> bool {
        self.peek().is_some_and(|next| next == token)
    }

    fn next(&mut self) -> Result<String, String> {
        self.at += 1;
        self.tokens
            .get(self.at - 1)
            .cloned()
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

    /// Definitions are checked by nobody but give defaults.
    fn variable_definitions(&mut self) -> Result<(), String> {
        if !self.is("(") {
            return Ok(());
        }
        self.at += 1;
        while !self.is(")") {
            self.expect("$")?;
            let name = self.next()?;
            self.expect(":")?;
            while self.is("[") || self.is("]") || self.is("!") || self.name_of_type() {
                self.at += 1;
            }
            if self.is("=") {
                self.at += 1;
                let default = self.value()?;
                self.variables.entry(name).or_insert(default);
            }
        }
        self.expect(")")
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

fn tokens(text: &str) -> Result<Vec<String>, String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            c if c.is_whitespace() || c == ',' || c == '\u{feff}' => {
                rest = &rest[c.len_utf8()..];
                continue;
            }
            '#' => {
                rest = rest.find('\n').map_or("", |end| &rest[end..]);
                continue;
            }
            '.' if rest.starts_with("...") => 3,
            '"' => string_length(rest).ok_or("Unterminated string")?,
            c if c.is_ascii_alphanumeric() || c == '_' || c == '-' => {
                let part =
                    |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+' | '.');
                rest.find(|c| !part(c)).unwrap_or(rest.len())
            }
            c if "{}()[]:!=$@|&".contains(c) => 1,
            c => return Err(format!("Cannot parse the unexpected character \"{c}\".")),
        };
        tokens.push(rest[..length].to_owned());
        rest = &rest[length..];
    }
    Ok(tokens)
}

fn string_length(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().skip(1).find_map(|(at, c)| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends.then_some(at + 1)
    })
}
